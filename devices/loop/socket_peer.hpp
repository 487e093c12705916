// socket_peer: an output_peer that a socket of libzmq serves: its own, behind the gate, or one that
// it shares.
//
// Contract: output_peer's. How libzmq tells that there is room:
//   push, dealer  POLLOUT
//   xpub          never (it calls itself writable always): a send that found no room is tried again
//                 after retry_ns, or when the gate says that bytes moved
// An xpub whose subscriptions have all ended hands nothing over, and what it was given while they
// ended does not count as handed: libzmq throws away in silence what nobody subscribes to, and a
// connection that broke ends them all.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "devices/gate/gate.hpp"
#include "devices/loop/output_peer.hpp"
#include "devices/transport/poller.hpp"

namespace holdfast {

class socket_peer final : public output_peer {
 public:
  static constexpr std::uint64_t retry_ns = ms_ns;
  static constexpr std::size_t frames_max = 256;  ///< heard in a turn

  /// `own` is empty for a peer that uses `shared`, which then outlives it. `behind`: its number in
  /// the gate, 0 = none.
  socket_peer(const output_terms& terms, socket own, socket* shared, gate* doors, gate_peer behind,
              std::string name);

  void introduce(engine& to, peer_id number, std::uint64_t now_ns) override;
  gate_peer behind() const noexcept { return behind_; }
  /// A raw multipart at once; a peer that has no room for it is as good as gone.
  void send(std::span<const part_out> parts);
  bool gone() const noexcept { return gone_; }
  /// Takes in what it says. True if there may be more.
  bool hear(engine& to);
  void drained() noexcept { crowded_ = false; }
  std::uint64_t next_deadline() const noexcept override;
  void add_to(poller& p);
  void take_poll(const poller& p);
  bool readable() const noexcept { return readable_; }
  void close(int linger_ms) noexcept;

 private:
  io take(std::span<const part_out> parts, std::uint64_t before) override;
  void hand_over(engine& to) override;
  bool try_again(std::uint64_t now_ns) const noexcept override;
  void look_at_unsent() override;
  bool deaf() const noexcept override {
    return terms_->kind == socket_kind::xpub && terms_->apart() && prefixes_.empty();
  }
  void note(const buffer_ref& subscription);

  socket own_;
  socket* out_;
  gate* doors_;  // null: it is not behind the gate
  gate_peer behind_;
  bool gone_ = false, readable_ = false;
  std::size_t poll_index_ = 0;
  std::set<std::string> prefixes_;  // xpub: subscribed to now
  std::vector<buffer_ref> heard_;   // reused
};

}  // namespace holdfast
