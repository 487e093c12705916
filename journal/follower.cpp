#include "journal/follower.hpp"

#include <algorithm>
#include <array>

#include "journal/segment_table.hpp"

namespace holdfast {
namespace {

// To look at the directory takes at most a tenth of the time, to look behind a bad place a
// twentieth; at the same place again ever more rarely.
constexpr std::uint64_t look_share = 10;
constexpr std::uint64_t behind_share = 20;
constexpr std::uint64_t behind_pause_min_ns = second_ns / 2;
constexpr std::uint64_t behind_pause_max_ns = 16 * second_ns;

const segment_info* first_at_or_behind(const segment_list& all, std::uint64_t position) {
  for (const segment_info& s : all.segments)
    if (s.in_log && s.header.base + s.header.size > position) return &s;
  return nullptr;
}

const segment_info* find(const segment_list& all, const segment_header& header) {
  for (const segment_info& s : all.segments)
    if (s.header.base == header.base && s.header.epoch == header.epoch) return &s;
  return nullptr;
}

}  // namespace

result<journal_follower> journal_follower::open(const std::string& directory, std::uint64_t from,
                                                clock now) {
  auto listed = list_segments(directory);
  if (!listed) return listed.take_status();
  if (listed->segments.empty())
    return status{errc::not_found, directory + ": there is no segment of a journal here"};
  journal_follower made(directory, std::move(now));
  const segment_info* begin = first_at_or_behind(*listed, from);
  const bool behind_all = begin == nullptr;
  if (behind_all) begin = &listed->segments.back();
  made.enter(*begin, behind_all ? 0 : from);
  if (behind_all)
    made.seek(from_next);
  else if (made.at_ == from)
    made.seek(from);
  return made;
}

void journal_follower::enter(const segment_info& in, std::uint64_t from) {
  in_ = in;
  walker_.reset();
  file_ = std::make_unique<read_file>(directory_ + "/" + in.name);
  end_ = in.end;
  at_ = std::max(from, in.header.base + records_at);
}

// To the first record at or behind `from`; behind the last one where there is none.
void journal_follower::seek(std::uint64_t from) {
  if (!segment_is_there(*file_, in_.header)) return;
  at_ = in_.header.base + records_at;
  record_walker walker = walk_of(*file_, in_.header, at_, limit());
  while (walker.resync() && walker.position() < from) {
    walker.next();
    at_ = walker.position();
  }
  if (walker.position() < limit()) at_ = walker.position();
}

std::uint64_t journal_follower::limit() const noexcept {
  return end_ != 0 ? end_ : in_.header.base + in_.header.size;
}

// Cheap enough to ask often: 64 bytes.
bool journal_follower::header_there() const {
  std::array<std::byte, record_header_bytes> bytes{};
  return at_ + bytes.size() <= limit() && file_->is_open() &&
         file_->read(at_ - in_.header.base, bytes) &&
         decode_record_header(bytes, segment_key(in_.header.journal_id, in_.header.epoch), at_);
}

std::optional<followed> journal_follower::take_record() {
  if (!walker_) {
    if (!header_there()) return std::nullopt;
    walker_.emplace(walk_of(*file_, in_.header, at_, limit()));
  }
  const walked found = walker_->next();
  if (found.what != verdict::good) {
    walker_.reset();  // what it holds may be old: read again next time
    return std::nullopt;
  }
  at_ = walker_->position();
  followed made;
  made.what = followed::kind::record;
  made.seen = seen_of(found, in_.header.slot);
  return made;
}

followed journal_follower::next() {
  for (;;) {
    if (auto taken = take_record()) return *taken;
    if (auto found = take_record()) return *found;  // with fresh bytes
    if (now_().now_ns < look_at_ns_) return {};
    const std::uint64_t at = at_;
    const std::uint64_t base = in_.header.base;
    if (auto found = look_around()) return *found;
    if (at == at_ && base == in_.header.base) return {};
  }
}

// Nothing good at at_: is this where writing goes on, or does the log go on elsewhere?
std::optional<followed> journal_follower::look_around() {
  const std::uint64_t begun = now_().now_ns;
  const auto all = list_segments(directory_);
  look_at_ns_ = begun + (now_().now_ns - begun) * look_share;
  if (!all) return std::nullopt;  // the directory is being replaced
  for (const segment_info& s : all->segments)
    if (s.in_log && s.header.base > in_.header.base) return leave(*all, s);
  return look_behind();
}

std::optional<followed> journal_follower::leave(const segment_list& all, const segment_info& next) {
  const bool there = find(all, in_.header) != nullptr && segment_is_there(*file_, in_.header);
  const bool adjacent = next.header.previous_base == in_.header.base;
  const std::uint64_t behind = next.header.base + records_at;
  if (adjacent && there) end_ = next.header.previous_end;
  if (there && at_ < limit()) {
    if (auto found = take_record()) return found;
    // All up to the end was written before the next segment's header. What lies between an
    // unknown end and the next segment says nothing.
    record_walker walker = walk_of(*file_, in_.header, at_, limit());
    const bool more = walker.resync();
    if (more || end_ != 0) return skip_to(walker.position());
  }
  std::optional<followed> told;
  if (adjacent && at_ > next.header.previous_end) {
    told = span(followed::kind::cut, at_);
    told->from = next.header.previous_end;
  } else if (!adjacent || at_ < next.header.previous_end) {
    told = span(followed::kind::trimmed, adjacent ? next.header.previous_end : behind);
  }
  enter(next, 0);
  return told;
}

// Over a bad stretch; where only the body of one record is bad, that record is named.
std::optional<followed> journal_follower::skip_to(std::uint64_t to) {
  record_walker walker = walk_of(*file_, in_.header, at_, limit());
  const walked bad = walker.next();
  if (bad.what == verdict::good) return std::nullopt;  // it is whole by now
  followed told;
  if (bad.what == verdict::bad_body) {
    told.rot = damage_of(seen_of(bad, in_.header.slot));
    to = walker.position();
  } else {
    told.rot = {damage_kind::header, at_, to - at_, no_stream, {}};
  }
  told.what = followed::kind::damaged;
  told.from = at_;
  told.to = at_ = to;
  walker_.reset();
  return told;
}

// The newest segment. A good record behind a bad place whose watermark lies above it proves that
// the place was durable before: a fresh look decides then whether it is damage or was being
// written.
std::optional<followed> journal_follower::look_behind() {
  const std::uint64_t begun = now_().now_ns;
  if (begun < behind_at_ns_ || !segment_is_there(*file_, in_.header)) return std::nullopt;
  record_walker walker = walk_of(*file_, in_.header, at_, limit());
  std::uint64_t to = 0;
  bool damaged = at_ < proven_;
  while (walker.resync()) {
    const walked found = walker.next();
    if (to == 0) to = found.position;
    damaged |= found.position - std::min(found.position, found.header.durable_delta) > at_;
    if (damaged) break;
  }
  if (damaged) {
    behind_at_ns_ = 0;
    return skip_to(to != 0 ? to : std::min(proven_, limit()));
  }
  const bool again = looked_behind_ == at_;
  looked_behind_ = at_;
  behind_pause_ns_ =
      again ? std::clamp(2 * behind_pause_ns_, behind_pause_min_ns, behind_pause_max_ns) : 0;
  const std::uint64_t now = now_().now_ns;
  behind_at_ns_ = now + std::max(behind_pause_ns_, (now - begun) * behind_share);
  return std::nullopt;
}

followed journal_follower::span(followed::kind what, std::uint64_t to) {
  followed told;
  told.what = what;
  told.from = at_;
  told.to = to;
  return told;
}

}  // namespace holdfast
