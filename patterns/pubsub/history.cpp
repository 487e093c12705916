#include "patterns/pubsub/history.hpp"

#include <algorithm>

namespace holdfast {

history::history(history_limits limits) noexcept
    : limits_(limits),
      grain_bytes_(limits.bytes == 0
                       ? grain_bytes_max
                       : std::clamp<std::uint64_t>(limits.bytes / 16, 1, grain_bytes_max)) {}

std::uint64_t history::bytes() const noexcept {
  return marks_.empty() ? 0 : bytes_total_ - marks_.front().bytes_before;
}

void history::append(std::uint32_t count, std::uint64_t bytes, std::uint64_t real_ns) {
  last_ns_ = std::max(last_ns_, real_ns);
  if (marks_.empty() || bytes_total_ - marks_.back().bytes_before >= grain_bytes_ ||
      last_ns_ - marks_.back().real_ns >= grain_ns) {
    if (marks_.size() >= marks_max && snapshot_from_ == 0) thin();
    marks_.push_back({next_, last_ns_, bytes_total_, last_ns_ + grain_ns});
  }
  next_ += count;
  bytes_total_ += bytes;
}

/// Two marks become one: the table gets coarser, never wrong.
void history::thin() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < marks_.size(); i += 2) {
    marks_[kept] = marks_[i];
    if (i + 1 < marks_.size()) marks_[kept].until_ns = marks_[i + 1].until_ns;
    ++kept;
  }
  marks_.resize(kept);
}

void history::set_visible(std::uint64_t end) noexcept {
  visible_ = std::max(visible_, end);
}

std::uint64_t history::expired(std::uint64_t real_ns, std::uint64_t unneeded_below) const noexcept {
  return std::max({beyond_marks(real_ns), beyond_records(), std::min(unneeded_below, visible_)});
}

std::uint64_t history::beyond_records() const noexcept {
  const std::uint64_t slack = limits_.records / 16;
  if (limits_.records == 0 || next_ - lowest_ <= limits_.records + slack) return lowest_;
  return std::max(lowest_, std::min(next_ - limits_.records, visible_));
}

/// By age and bytes.
std::uint64_t history::beyond_marks(std::uint64_t real_ns) const noexcept {
  std::uint64_t to = lowest_;
  for (std::size_t i = 0; i + 1 < marks_.size(); ++i) {
    const mark& after = marks_[i + 1];
    const std::uint64_t newest = std::min(marks_[i].until_ns, after.real_ns);
    const bool old = limits_.age_ns != 0 && newest + limits_.age_ns <= real_ns;
    const bool large = limits_.bytes != 0 && bytes_total_ - marks_[i].bytes_before > limits_.bytes;
    if ((!old && !large) || after.first > visible_) return to;
    to = after.first;
  }
  const bool all_old = limits_.age_ns != 0 && last_ns_ + limits_.age_ns <= real_ns;
  return all_old && !marks_.empty() && next_ <= visible_ ? next_ : to;
}

std::uint64_t history::next_expiry_ns() const noexcept {
  if (limits_.age_ns == 0 || marks_.empty()) return never_ns;
  const std::uint64_t newest =
      marks_.size() > 1 ? std::min(marks_[0].until_ns, marks_[1].real_ns) : last_ns_;
  return newest + limits_.age_ns;
}

void history::trim(std::uint64_t to) {
  if (to <= lowest_) return;
  raise(to);
  lowest_ = to;
  while (marks_.size() > 1 && marks_[1].first <= to) marks_.pop_front();
  if (!marks_.empty() && to == next_) marks_.clear();
}

std::uint64_t history::at_time(std::uint64_t real_ns) const noexcept {
  if (marks_.empty() || last_ns_ < real_ns) return next_;
  // The last mark that begins before that time: the first such message lies in it or at the next.
  const auto after = std::partition_point(marks_.begin(), marks_.end(),
                                          [&](const mark& m) { return m.real_ns < real_ns; });
  return std::max(lowest_, after == marks_.begin() ? lowest_ : std::prev(after)->first);
}

void history::replay(std::uint64_t first, std::uint32_t count, std::uint64_t bytes,
                     std::uint64_t real_ns) {
  if (first < next_) return;  // known already
  next_ = first;              // what should stand between is gone: readers learn of the gap
  append(count, bytes, real_ns);
}

void history::raise(std::uint64_t next) noexcept {
  next_ = std::max(next_, next);
}

// u32 stream, then per mark u64 first, u64 real ns, u64 bytes before it, u64 until.
bool history::snapshot_marks(state_writer& rows, std::uint32_t stream, std::size_t budget) {
  constexpr std::size_t mark_bytes = 32;
  auto at = std::partition_point(marks_.begin(), marks_.end(),
                                 [&](const mark& m) { return m.first < snapshot_from_; });
  if (at == marks_.end()) {
    snapshot_from_ = 0;
    return true;
  }
  rows.begin(row_kind::history_marks);
  rows.u32(stream);
  for (std::size_t spent = 0; at != marks_.end() && spent <= budget; ++at, spent += mark_bytes) {
    rows.u64(at->first);
    rows.u64(at->real_ns);
    rows.u64(at->bytes_before);
    rows.u64(at->until_ns);
    snapshot_from_ = at->first + 1;
  }
  rows.end();
  if (at != marks_.end()) return false;
  snapshot_from_ = 0;
  return true;
}

void history::write_ends(state_writer& row) const {
  row.u64(next_);
  row.u64(lowest_);
  row.u64(bytes_total_);
  row.u64(last_ns_);
}

void history::read_marks(state_reader& row) {
  while (row.left() > 0 && !row.failed()) {
    const mark m{row.u64(), row.u64(), row.u64(), row.u64()};
    if (!row.failed() && (marks_.empty() || marks_.back().first < m.first)) marks_.push_back(m);
  }
}

void history::read_ends(state_reader& row) {
  next_ = std::max(next_, row.u64());
  const std::uint64_t lowest = row.u64();
  bytes_total_ = row.u64();
  last_ns_ = row.u64();
  trim(lowest);
}

}  // namespace holdfast
