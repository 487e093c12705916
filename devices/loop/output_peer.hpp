// output_peer: one plain receiver, or all behind a shared socket: its socket, its local queue, what
// is known of it, what it says.
//
// Contract: one thread. introduce() makes it known to its pattern under a new number; figures go to
// the engine when they change. How libzmq tells that there is room:
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

#include "devices/device_options.hpp"
#include "devices/gate/gate.hpp"
#include "devices/loop/engine.hpp"
#include "devices/loop/plain_queue.hpp"
#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

/// What the peers of one output have in common.
struct output_terms {
  plain_output options;
  socket_kind kind = socket_kind::push;
  std::uint32_t channel = 0;
  stream_id stream = no_stream;
  std::uint64_t max_message = 256ull << 20;  ///< bytes; of what a peer says
  gate* doors = nullptr;                     ///< null: no peer is behind the gate
  std::unique_ptr<message_transform> transform;

  /// Every peer has a socket of its own.
  bool apart() const noexcept {
    return options.peers == plain_tracking::separate || options.peers == plain_tracking::ack_back;
  }
  /// Peers say something: subscriptions, replies.
  bool hears() const noexcept { return kind != socket_kind::push; }
  /// Messages of so many bytes that a peer may not have taken, unless it is found out.
  std::uint64_t ahead_max(std::uint64_t bytes_each) const noexcept;
};

class output_peer {
 public:
  static constexpr std::uint64_t recall_ns = second_ns;
  static constexpr std::uint64_t idle_check_ns = second_ns;
  static constexpr std::uint64_t retry_ns = ms_ns;
  static constexpr std::uint64_t pump_messages = 4096;      ///< in a turn
  static constexpr std::uint64_t crowd_bytes = 512 * 1024;  ///< unsent behind the gate: no more
  static constexpr std::uint64_t check_bytes = 32 * 1024;   ///< handed between two looks at it
  static constexpr std::uint64_t crowd_check_ns = 100 * ms_ns;
  static constexpr std::size_t frames_max = 256;  ///< heard in a turn

  /// `own` is empty for a peer that uses `shared`, which then outlives it. `behind`: its number in
  /// the gate, 0 = none.
  output_peer(const output_terms& terms, socket own, socket* shared, gate_peer behind,
              std::string name);

  /// Under a new number, as if it had just come.
  void introduce(engine& to, peer_id number, std::uint64_t now_ns);
  /// The pattern hears the last of it.
  void lose(engine& to);

  peer_id number() const noexcept { return number_; }  ///< 0: not introduced yet
  gate_peer behind() const noexcept { return behind_; }
  void push(const plain_delivery& what) { queue_.push(what); }
  /// A raw multipart at once; a peer that has no room for it is as good as gone.
  void send(std::span<const part_out> parts);
  bool gone() const noexcept { return gone_; }

  /// Takes in what it says. True if there may be more.
  bool hear(engine& to);
  /// Hands over what can be handed over, reports changes. True if anything was reported.
  bool pump(engine& to, std::uint64_t now_ns);
  void drained() noexcept { crowded_ = false; }
  /// Gives its local queue up: others may take it. Needs introduce() again.
  bool stuck(std::uint64_t now_ns) const noexcept;

  bool busy() const noexcept { return !blocked_ && !queue_.empty() && !deaf(); }
  std::uint64_t next_deadline() const noexcept;
  void add_to(poller& p);
  /// True when it became able to take something for the first time.
  void take_poll(const poller& p);
  bool writable() const noexcept { return !blocked_; }
  bool readable() const noexcept { return readable_; }
  void close(int linger_ms) noexcept;

 private:
  bool deaf() const noexcept {
    return terms_->kind == socket_kind::xpub && terms_->apart() && prefixes_.empty();
  }
  void note(const buffer_ref& subscription);
  void hand_over(engine& to, std::uint64_t now_ns);
  void check_unsent();
  std::uint64_t ahead() const noexcept;
  std::uint64_t in_libzmq(const gate_backlog& left) const noexcept;
  bool crowds(const gate_backlog& left) const noexcept;
  std::uint64_t bytes_each() const noexcept;
  bool tell(engine& to);

  const output_terms* terms_;
  socket own_;
  socket* out_;
  gate_peer behind_;
  std::string name_;
  peer_id number_ = 0;
  plain_queue queue_;
  bool blocked_ = true;   ///< libzmq takes nothing
  bool crowded_ = false;  ///< much unsent behind the gate: others first
  bool idle_ = false;     ///< at the last check nothing was unsent
  bool gone_ = false, readable_ = false;
  std::uint64_t now_ns_ = 0, blocked_since_ns_ = 0;
  std::uint64_t checked_ns_ = 0;                          ///< when unsent bytes were asked for last
  std::uint64_t checked_bytes_ = 0, checked_handed_ = 0;  ///< handed by then
  plain_report told_;
  std::size_t poll_index_ = 0;
  std::set<std::string> prefixes_;  ///< xpub: subscribed to now
  std::vector<buffer_ref> heard_;   // reused
};

}  // namespace holdfast
