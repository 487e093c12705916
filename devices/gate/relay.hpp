// relay: one peer's connection and its private one, from accept to the end, with the rules of
// ending.
//
// Contract: the gate's thread drives it; gate_link is what the loop's thread may look at. An ending
// side is followed to the other: what a side sent before it ended is given on first, then its end
// (shutdown), and the relay is over when the other side has ended too or made no progress for
// drain_ns. A ZeroMQ peer never half-closes, so an end of reading is an end.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "devices/gate/gate.hpp"
#include "devices/gate/lane.hpp"

namespace holdfast {

/// Both threads hold it. Descriptors are closed, and asked by the loop's thread, under the mutex;
/// the gate's thread alone opens and uses them otherwise.
struct gate_link {
  mutable std::mutex closing;
  fd peer, inner;  ///< the peer's connection; the one to the private socket
  lane in, out;    ///< from the peer; to the peer
  bool tcp = false;
  std::atomic<bool> watched{false};  ///< the loop wants to hear when `out` has run dry
  gate_backlog backlog() const noexcept;
};

class relay {
 public:
  relay(gate_peer id, std::uint64_t cookie, std::shared_ptr<gate_link> link) noexcept
      : id_(id), cookie_(cookie), link_(std::move(link)) {}
  ~relay() { cut(); }

  gate_peer id() const noexcept { return id_; }
  std::uint64_t cookie() const noexcept { return cookie_; }
  const gate_link& link() const noexcept { return *link_; }
  /// Connects to the private socket at the abstract `name` (without '@'). 0 or an errno.
  int connect(std::string_view name, std::uint32_t send_buffer_bytes);
  void fail(gate_end why, std::string text);

  void peer_edge(std::uint32_t epoll_events) noexcept;
  void inner_edge(std::uint32_t epoll_events) noexcept;
  /// Moves what can move, both ways, up to about `budget` bytes each; follows an end. True: there
  /// is more to do at once.
  bool step(conduit_pool& pool, std::size_t budget, std::uint64_t now_ns, std::uint64_t drain_ns);
  /// A TCP peer whose kernel has not answered for `timeout_ms` though it should have:
  /// true, and step() ends it.
  bool check_vanished(std::uint32_t timeout_ms);
  /// Ending: when step() must be called again at the latest. never_ns while it runs.
  std::uint64_t deadline_ns() const noexcept { return deadline_ns_; }

  /// Once for each wish: the device's side has nothing more to take.
  bool tell_drained() noexcept { return link_->out.dry() && link_->watched.exchange(false); }

  bool over() const noexcept { return phase_ == phase::over; }
  gate_end end() const noexcept { return end_; }
  const std::string& why() const noexcept { return why_; }
  /// Closes both sides at once.
  void cut() noexcept;
  /// Closing throws away what is still queued toward the peer.
  void reset_on_close() noexcept;

 private:
  enum class phase : std::uint8_t { waiting, open, peer_ended, device_ended, over };
  void step_waiting();
  void step_open();
  void step_peer_ended(conduit_pool& pool);
  void step_device_ended(conduit_pool& pool);
  bool drop_from_peer();
  void peer_end(int error);
  void finish(gate_end why, std::string text);

  gate_peer id_;
  std::uint64_t cookie_;
  std::shared_ptr<gate_link> link_;
  phase phase_ = phase::waiting;
  bool peer_hung_ = false, inner_hung_ = false, shut_ = false, dropping_ = false;
  std::uint64_t deadline_ns_ = never_ns;
  gate_end end_ = gate_end::closed;
  std::string why_;
};

}  // namespace holdfast
