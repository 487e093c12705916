#include "devices/loop/entry_sieve.hpp"

#include <algorithm>

namespace holdfast {
namespace {

bytes_view first_part(const entry& e) noexcept {
  if (!(e.flags & entry_flag::multipart)) return e.data;
  return e.data.first(load<std::uint32_t>(e.lengths.data()));
}

}  // namespace

entry_sieve::outcome entry_sieve::sift(const block& b, std::uint32_t skip, const limits& most,
                                       const topic_filter& by, bool dense) {
  outcome made;
  matches_.clear();
  const bytes_view body = b.body.bytes();
  std::size_t at = skip > 0 ? cut_entries(body, skip, 0, 0).at : 0;
  entry_walker walker(body.subspan(at));
  entry e;
  const std::uint32_t end = skip + std::min<std::uint32_t>(b.count - skip, most.taken);
  std::uint64_t bytes = 0;
  std::uint32_t index = skip;
  for (; index < end && walker.next(e); ++index) {
    const std::size_t next = body.size() - walker.left();
    if (!e.voided() && by.matches(first_part(e))) {
      const std::uint32_t voids =
          dense && !matches_.empty() ? index - matches_.back().index - 1 : 0;
      const std::uint64_t more = next - at + voids * entry_head_bytes;
      const bool passes = most.one_passes && matches_.empty();
      if (!passes && (matches_.size() >= most.sent || bytes + more > most.bytes)) break;
      matches_.push_back({index, at, next - at, e.whole.size()});
      bytes += more;
    }
    at = next;
  }
  // A body was checked when it came; one that ends early has nothing more to give.
  made.taken = walker.ok() ? index - skip : end - skip;
  if (matches_.empty()) return made;
  made.sent = static_cast<std::uint32_t>(matches_.size());
  made.at = matches_.front().index;
  made.last = matches_.back().index;
  const std::uint32_t span = made.last - made.at + 1;
  made.count = dense ? span : made.sent;
  made.whole = made.sent == b.count;
  if (made.whole)
    made.body = b.body;
  else if (span == made.sent)
    made.body = b.body.slice(matches_.front().at,
                             matches_.back().at + matches_.back().size - matches_.front().at);
  else
    made.body = pack(body, dense);
  return made;
}

buffer_ref entry_sieve::pack(bytes_view body, bool dense) {
  std::uint32_t next = matches_.front().index;
  for (const match& m : matches_) {
    for (; dense && next < m.index; ++next) packer_.add_void(0);
    packer_.add_entry(body.subspan(m.at, m.bytes));
    next = m.index + 1;
  }
  return packer_.seal().body;
}

}  // namespace holdfast
