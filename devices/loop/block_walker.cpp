#include "devices/loop/block_walker.hpp"

#include <algorithm>

namespace holdfast {

void block_walker::clear() noexcept {
  blocks_.clear();
  pieces_.clear();
}

bool block_walker::resolve(log& from, const run& what, bool dense) {
  clear();
  cut_ = {};
  cut_.token = what.token;
  looked_at_ = 0;
  const bool sifted = what.filter != nullptr || what.since_ns > 0;
  const read_limits most = sifted ? read_limits{std::max(what.reach, what.count), scan_bytes}
                                  : read_limits{what.count, what.bytes};
  const fetched found = from.read(what.stream, what.first, most, blocks_);
  if (found.outcome == fetch::gap) {
    const std::uint64_t reach = std::max(what.reach, what.count);
    cut_.missing = {found.missing.first, std::min(found.missing.count, reach)};
    return cut_.missing.count > 0;
  }
  if (found.outcome != fetch::ok) return false;
  for (const block& b : blocks_) {
    if (sifted && looked_at_ == scan_blocks) break;
    ++looked_at_;
    if (!(sifted ? sift(b, what, dense) : take(b, what))) break;
  }
  blocks_.clear();
  if (!sifted) {
    cut_.sent = cut_.entries = cut_.count;
    if (cut_.sent > 0) cut_.last_sent = what.first + cut_.sent - 1;
  }
  return cut_.count > 0;
}

bool block_walker::take(const block& b, const run& what) {
  const std::uint64_t next = what.first + cut_.count;
  // A hole between two blocks ends this run; the next one begins with it and learns of the gap.
  if (next < b.first || next >= b.first + b.count || cut_.count >= what.count) return false;
  const auto skip = static_cast<std::uint32_t>(next - b.first);
  const entry_run part = cut_block(b, what, skip);
  if (part.count == 0) return false;
  const bool whole = part.count == b.count;
  pieces_.push_back({next, part.count, whole, b.props_mask, b.time_ns, whole ? b.body_sum : 0,
                     whole ? b.body : b.body.slice(part.at, part.size)});
  cut_.count += part.count;
  cut_.bytes += part.size;
  return skip + part.count == b.count;
}

entry_run block_walker::cut_block(const block& b, const run& what, std::uint32_t skip) const {
  const std::uint32_t count_left = what.count - cut_.count;
  const std::uint64_t bytes_left = what.bytes > cut_.bytes ? what.bytes - cut_.bytes : 0;
  const std::uint32_t reach_left = std::max(what.reach, what.count) - cut_.count;
  const std::size_t size = b.body.size();
  const bool fits = b.count <= count_left && size <= bytes_left;
  const bool may_exceed = what.whole_blocks && b.count <= reach_left && bytes_left > 0;
  if (skip == 0 && (fits || may_exceed)) return {0, size, b.count};
  if (cut_.count > 0 && bytes_left == 0) return {};
  const std::uint32_t wanted = std::min<std::uint32_t>(b.count - skip, count_left);
  const entry_run part = cut_entries(b.body.bytes(), skip, wanted, bytes_left);
  // The first message of a run always passes, a later one only within the limit.
  return cut_.count > 0 && part.size > bytes_left ? entry_run{} : part;
}

/// The same for a run that leaves entries out: those count as taken, and nothing else.
bool block_walker::sift(const block& b, const run& what, bool dense) {
  static const topic_filter everything{{""}};
  const std::uint64_t next = what.first + cut_.count;
  const entry_sieve::limits most = left_for(b, what);
  if (next < b.first || next >= b.first + b.count || most.taken == 0) return false;
  const auto skip = static_cast<std::uint32_t>(next - b.first);
  const std::uint32_t wanted = std::min<std::uint32_t>(most.taken, b.count - skip);
  if (b.time_ns < what.since_ns) {
    cut_.count += wanted;
    return skip + wanted == b.count;
  }
  entry_sieve::outcome found =
      sieve_.sift(b, skip, most, what.filter ? *what.filter : everything, dense);
  cut_.count += found.taken;
  if (found.sent > 0) {
    cut_.sent += found.sent;
    cut_.entries += found.count;
    cut_.last_sent = b.first + found.last;
    cut_.bytes += found.body.size();
    pieces_.push_back({b.first + found.at, found.count, found.whole, b.props_mask, b.time_ns,
                       found.whole ? b.body_sum : 0, std::move(found.body)});
  }
  return skip + found.taken == b.count;
}

entry_sieve::limits block_walker::left_for(const block& b, const run& what) const {
  entry_sieve::limits left;
  left.taken = std::max(what.reach, what.count) - cut_.count;
  left.sent = what.count > cut_.entries ? what.count - cut_.entries : 0;
  left.bytes = what.bytes > cut_.bytes ? what.bytes - cut_.bytes : 0;
  left.one_passes = cut_.sent == 0;
  if (!what.whole_blocks || left.sent == 0 || left.bytes == 0) return left;
  left.sent = b.count;
  left.bytes = std::max<std::uint64_t>(left.bytes, b.body.size());
  return left;
}

}  // namespace holdfast
