#include "devices/loop/plain_queue.hpp"

#include <array>
#include <functional>
#include <span>

namespace holdfast {
void plain_queue::push(const plain_delivery& what) {
  if (what.count == 0) return;
  pushed_ += what.count;
  deliveries_.push_back(what);
}

io plain_queue::pump(message_sink& to, std::uint64_t messages) {
  io outcome = io::done;
  while (!deliveries_.empty() && messages > 0) {
    const plain_delivery& front = deliveries_.front();
    const bytes_view body = front.body.bytes();
    entry_walker walker(body.subspan(at_));
    entry message;
    while (messages > 0 && in_front_ < front.count && walker.next(message)) {
      if (!message.voided()) outcome = hand(front, message, to);
      if (outcome != io::done) return outcome;
      at_ = body.size() - walker.left();
      ++in_front_;
      ++handed_;
      --messages;
    }
    if (in_front_ < front.count && walker.ok() && walker.left() > 0) break;
    // A body was checked when it came; one that ends early hands nothing more.
    handed_ += front.count - in_front_;
    deliveries_.pop_front();
    at_ = in_front_ = 0;
  }
  return outcome;
}

io plain_queue::hand(const plain_delivery& from, const entry& message, message_sink& to) {
  parts_.clear();
  for_each_part(message, [&](bytes_view part) { parts_.push_back({part, &from.body}); });
  std::uint64_t bytes = message.data.size();
  if (transform_ != nullptr) bytes = transform(from);
  std::array<std::byte, 16> id;
  if (from.with_id) {
    store(id.data(), from.stream);
    store(id.data() + 4, from.stream_epoch);
    store(id.data() + 8, from.first + in_front_);
    parts_.push_back({id, nullptr});
  }
  const io outcome = to.take(parts_, handed_);
  if (outcome != io::done) return outcome;
  handed_bytes_ += bytes;
  if (transform_ != nullptr) transform_->sent();
  return outcome;
}

// Parts that stay lie in the block still; new ones are copied by the sink. Gives the bytes to send.
std::uint64_t plain_queue::transform(const plain_delivery& from) {
  came_.clear();
  for (const part_out& part : parts_) came_.push_back(part.bytes);
  parts_.clear();
  const bytes_view body = from.body.bytes();
  std::uint64_t bytes = 0;
  for (const bytes_view part : transform_->apply(came_)) {
    const bool stays = std::less_equal<>()(body.data(), part.data()) &&
                       std::less_equal<>()(part.data() + part.size(), body.data() + body.size());
    parts_.push_back({part, stays ? &from.body : nullptr});
    bytes += part.size();
  }
  return bytes;
}

}  // namespace holdfast
