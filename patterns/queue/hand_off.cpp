#include "patterns/queue/hand_off.hpp"

#include <algorithm>

namespace holdfast {

void hand_off::delivered(range r, std::uint64_t bytes) {
  if (r.count == 0 || peer_.tracking == plain_tracking::ack_back) return;
  waiting_.push_back({r, static_cast<double>(bytes) / static_cast<double>(r.count)});
}

/// The front `count` messages of the line's first piece, at most that piece.
hand_off::piece hand_off::split(std::deque<piece>& line, std::uint64_t count) {
  piece taken = line.front();
  taken.messages.count = std::min(count, taken.messages.count);
  range& left = line.front().messages;
  left = {left.first + taken.messages.count, left.count - taken.messages.count};
  if (left.count == 0) line.pop_front();
  return taken;
}

void hand_off::report(const plain_report& r, std::uint64_t now_ns, std::vector<range>& doubt,
                      std::vector<range>& settled) {
  std::uint64_t news = r.handed > handed_ ? r.handed - handed_ : 0;
  const bool moved = news != 0;
  handed_ += news;
  while (news != 0 && !waiting_.empty()) {
    const piece p = split(waiting_, news);
    news -= p.messages.count;
    doubt.push_back(p.messages);
    doubt_.push_back(p);
    doubt_messages_ += p.messages.count;
    doubt_bytes_ += p.bytes_each * static_cast<double>(p.messages.count);
  }
  settle_beyond(peer_.tracking == plain_tracking::shared ? bounds{} : limits(), settled);
  if (!r.idle || !waiting_.empty())
    idle_since_ns_ = never_ns;
  else if (moved || idle_since_ns_ == never_ns)
    idle_since_ns_ = now_ns;
}

hand_off::bounds hand_off::limits() const noexcept {
  return {peer_.in_doubt_messages, static_cast<double>(peer_.in_doubt_bytes_min),
          static_cast<double>(peer_.in_doubt_bytes)};
}

/// How many of the oldest piece are beyond the limits: more messages were handed after them than
/// `limit.messages`, and as many bytes as a stopped peer's kernel may hold; or too many bytes in
/// all.
std::uint64_t hand_off::beyond(const bounds& limit) const {
  const double each = std::max(doubt_.front().bytes_each, 1.0);
  const auto worth = [&](double bytes) {
    return bytes > 0 ? static_cast<std::uint64_t>(bytes / each) : 0;
  };
  std::uint64_t count = doubt_messages_ > limit.messages ? doubt_messages_ - limit.messages : 0;
  if (limit.bytes_min > 0) count = std::min(count, worth(doubt_bytes_ - limit.bytes_min));
  if (doubt_bytes_ > limit.bytes && doubt_messages_ > 1)
    count = std::max(count, std::min(worth(doubt_bytes_ - limit.bytes) + 1, doubt_messages_ - 1));
  return count;
}

void hand_off::settle_beyond(const bounds& limit, std::vector<range>& settled) {
  while (!doubt_.empty()) {
    const std::uint64_t count = beyond(limit);
    if (count == 0) break;
    const piece p = split(doubt_, count);
    doubt_messages_ -= p.messages.count;
    doubt_bytes_ -= p.bytes_each * static_cast<double>(p.messages.count);
    settled.push_back(p.messages);
  }
  if (doubt_messages_ == 0) doubt_bytes_ = 0;
}

void hand_off::on_tick(std::uint64_t now_ns, std::vector<range>& settled) {
  if (next_deadline() > now_ns) return;
  settle_beyond({}, settled);
}

std::uint64_t hand_off::next_deadline() const noexcept {
  if (doubt_messages_ == 0 || idle_since_ns_ == never_ns) return never_ns;
  return idle_since_ns_ + peer_.settle_idle_ns;
}

}  // namespace holdfast
