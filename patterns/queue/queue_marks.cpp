#include "patterns/queue/queue_marks.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t marks_a_limit = 16;

}  // namespace

/// A large block has a mark of its own: its size says nothing of its neighbours'.
bool queue_marks::full(const mark& m, std::uint64_t bytes_more) const noexcept {
  const std::uint64_t grain = limits_.bytes / marks_a_limit;
  if (limits_.bytes != 0 && (m.bytes >= grain || bytes_more >= grain)) return true;
  return limits_.age_ns != 0 && last_ns_ - m.began_ns >= limits_.age_ns / marks_a_limit;
}

void queue_marks::append(std::uint64_t first, std::uint64_t count, std::uint64_t bytes,
                         std::uint64_t real_ns) {
  last_ns_ = std::max(last_ns_, real_ns);
  if (marks_.empty() || marks_.back().end != first || full(marks_.back(), bytes)) {
    if (marks_.size() >= marks_max) join_oldest();
    marks_.push_back({first, first, 0, 0, 0, last_ns_, last_ns_});
  }
  mark& last = marks_.back();
  last.end += count;
  last.count += count;
  last.bytes += bytes;
  last.open += count;
  last.newest_ns = last_ns_;
}

/// The table gets coarser; what is joined leaves later, never earlier.
void queue_marks::join_oldest() {
  mark& into = marks_[1];
  const mark& oldest = marks_[0];
  into.first = oldest.first;
  into.count += oldest.count;
  into.bytes += oldest.bytes;
  into.open += oldest.open;
  into.began_ns = oldest.began_ns;
  marks_.erase(marks_.begin());
}

void queue_marks::finish(std::uint64_t first, std::uint64_t end) {
  auto m = std::partition_point(marks_.begin(), marks_.end(),
                                [&](const mark& one) { return one.end <= first; });
  bool emptied = false;
  for (; m != marks_.end() && m->first < end; ++m) {
    m->open -= std::min(m->open, std::min(end, m->end) - std::max(first, m->first));
    emptied = emptied || m->open == 0;
  }
  if (emptied) std::erase_if(marks_, [](const mark& one) { return one.open == 0; });
}

std::uint64_t queue_marks::open() const noexcept {
  std::uint64_t sum = 0;
  for (const mark& m : marks_) sum += m.open;
  return sum;
}

std::uint64_t queue_marks::bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const mark& m : marks_) sum += m.open_bytes();
  return sum;
}

std::uint64_t queue_marks::keep_from(std::uint64_t real_ns) const noexcept {
  std::uint64_t from = 0, left = bytes();
  for (const mark& m : marks_) {
    const bool old = limits_.age_ns != 0 && m.newest_ns + limits_.age_ns <= real_ns;
    const bool large = limits_.bytes != 0 && left > limits_.bytes;
    if (!old && !large) break;
    left -= m.open_bytes();
    from = m.end;
  }
  return from;
}

std::uint64_t queue_marks::next_expiry_ns(std::uint64_t real_ns) const noexcept {
  if (limits_.age_ns == 0) return never_ns;
  for (const mark& m : marks_)
    if (m.newest_ns + limits_.age_ns > real_ns) return m.newest_ns + limits_.age_ns;
  return never_ns;
}

// To the row's end, per mark: u64 first, u64 end, u64 messages, u64 bytes, u64 open messages, u64
// realtime of its first and of its last message.
void queue_marks::write(state_writer& row) const {
  for (const mark& m : marks_)
    for (const std::uint64_t field :
         {m.first, m.end, m.count, m.bytes, m.open, m.began_ns, m.newest_ns})
      row.u64(field);
}

void queue_marks::read(state_reader& row) {
  while (row.left() > 0) {
    mark m;
    for (std::uint64_t* field :
         {&m.first, &m.end, &m.count, &m.bytes, &m.open, &m.began_ns, &m.newest_ns})
      *field = row.u64();
    if (row.failed() || m.first >= m.end || m.count == 0) return;
    last_ns_ = std::max(last_ns_, m.newest_ns);
    marks_.push_back(m);
  }
}

void queue_marks::adopt(std::uint64_t first, std::uint64_t end, std::uint64_t count,
                        std::uint64_t real_ns) {
  marks_.insert(marks_.begin(), mark{first, end, count, 0, count, real_ns, real_ns});
}

}  // namespace holdfast
