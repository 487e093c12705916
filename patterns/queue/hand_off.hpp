// hand_off: how far a plain receiver has got, which never says so itself.
//
//   separate  hand-off n settles hand-off n - limit, unless the bytes handed since are fewer than a
//             stopped peer's kernel may hold; between, messages are in doubt and come back when the
//             peer goes. Connected and idle for settle_idle settles the rest.
//   shared    hand-off is the ack.
//   ack_back  hand-off means nothing: only the delivery id acks.
//
// Contract: sans-IO; a queue's deliveries to one peer in, ranges out. A message's bytes are taken
// as its run's average. The limit in bytes lets one message pass whatever its size. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "patterns/pattern.hpp"

namespace holdfast {

class hand_off {
 public:
  hand_off() = default;
  explicit hand_off(plain_peer peer) : peer_(std::move(peer)) {}

  const plain_peer& peer() const noexcept { return peer_; }
  /// A run left for the driver's local queue.
  void delivered(range r, std::uint64_t bytes);
  /// The driver tells how far it is. `doubt`: ranges that were handed now; `settled`: ranges that
  /// are over for good (the older hand-offs first).
  void report(const plain_report& r, std::uint64_t now_ns, std::vector<range>& doubt,
              std::vector<range>& settled);
  void on_tick(std::uint64_t now_ns, std::vector<range>& settled);
  std::uint64_t next_deadline() const noexcept;
  std::uint64_t in_doubt() const noexcept { return doubt_messages_; }

 private:
  /// What may stay in doubt; by default nothing.
  struct bounds {
    std::uint64_t messages = 0;
    double bytes_min = 0;
    double bytes = 0;
  };
  struct piece {
    range messages;
    double bytes_each = 0;
  };
  static piece split(std::deque<piece>& line, std::uint64_t count);
  bounds limits() const noexcept;
  std::uint64_t beyond(const bounds& limit) const;
  void settle_beyond(const bounds& limit, std::vector<range>& settled);

  plain_peer peer_;
  std::deque<piece> waiting_;  // delivered, not handed
  std::deque<piece> doubt_;    // handed, not settled
  std::uint64_t handed_ = 0, doubt_messages_ = 0;
  double doubt_bytes_ = 0;
  std::uint64_t idle_since_ns_ = never_ns;
};

}  // namespace holdfast
