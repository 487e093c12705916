// plain_queue: what one plain peer is to be handed, and how far that has come. Entries become
// multipart messages one by one; where no more are taken, the place is kept.
//
// Contract: one thread. Figures are cumulative, voids included: a void is handed by being skipped.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "devices/loop/message_sink.hpp"
#include "devices/loop/outlet.hpp"
#include "devices/loop/transform.hpp"

namespace holdfast {

class plain_queue {
 public:
  /// Messages the pattern may have here beyond what was handed.
  static constexpr std::uint64_t messages_max = 1024;

  /// What messages leave as, or null: as they came. Must outlive this queue's pump().
  void set_transform(message_transform* by) noexcept { transform_ = by; }
  void push(const plain_delivery& what);
  bool empty() const noexcept { return deliveries_.empty(); }
  /// Hands over until the queue is empty, `to` takes no more, or `messages` were handed. The answer
  /// is the last take's.
  io pump(message_sink& to, std::uint64_t messages);
  std::uint64_t handed() const noexcept { return handed_; }
  std::uint64_t handed_bytes() const noexcept { return handed_bytes_; }
  /// Everything ever pushed.
  std::uint64_t pushed() const noexcept { return pushed_; }

 private:
  io hand(const plain_delivery& from, const entry& message, message_sink& to);
  std::uint64_t transform(const plain_delivery& from);

  std::deque<plain_delivery> deliveries_;
  std::size_t at_ = 0;          // in the first delivery's body
  std::uint32_t in_front_ = 0;  // of its messages, handed
  std::uint64_t handed_ = 0, pushed_ = 0, handed_bytes_ = 0;
  std::vector<part_out> parts_;
  message_transform* transform_ = nullptr;
  std::vector<bytes_view> came_;  // the parts of the message being transformed
};

}  // namespace holdfast
