#include "journal/place_search.hpp"

#include <utility>

#include "journal/segment_reader.hpp"

namespace holdfast {
namespace {

constexpr std::size_t searches_max = 256;
constexpr int records_max = 4096;  // looked at behind a mark

std::uint64_t position_of(const segment& in, std::size_t mark) noexcept {
  return in.base() + in.marks[mark] * record_unit;
}

// Whether a block's place says something about the place of others of its stream. Blocks follow one
// another by sequence and place as they were appended. One that was moved here comes behind later
// ones, so it tells of its row alone, and there of messages that are not finished: a second copy of
// a finished one may lie anywhere.
bool tells(const record_head& head, const stream_rows& of, const index_row& row) {
  if (head.type != record_type::block || head.stream != of.stream) return false;
  if ((head.flags & record_flag::relocated) == 0) return true;
  const std::uint64_t end = head.first_sequence + head.count;
  return head.first_sequence <= row.last() && end > row.first &&
         of.unfinished(head.first_sequence, end) != 0;
}

}  // namespace

place_search& place_finder::search(const segment& in, const stream_rows& of, const index_row& row,
                                   std::uint64_t from) {
  for (place_search& s : searches_) {
    if (s.stream != of.stream || s.from != from || s.segment != in.base()) continue;
    s.asked_in = core_.turn;
    return s;
  }
  place_search& made = room();
  made = {of.stream, from, in.base(), row.position};
  made.asked_in = core_.turn;
  made.high = in.marks.size();
  const bool hinted = of.hint_sequence <= from && of.hint_sequence > row.first &&
                      of.hint_sequence <= row.last() && of.hint_position > row.position &&
                      in.contains(of.hint_position);
  if (hinted) made.at = of.hint_position;
  if (hinted && of.hint_sequence == from) made.high = 0;
  made.whole = made.high == 0 && !hinted;
  return made;
}

place_search& place_finder::room() {
  if (searches_.size() < searches_max) return searches_.emplace_back();
  for (place_search& s : searches_)
    if (core_.gave_up(s.asked_in)) return s;
  return without_room_;
}

bool place_finder::find(place_search& what, const segment& in, const stream_rows& of,
                        const index_row& row) {
  while (what.low < what.high) {
    const std::size_t middle = (what.low + what.high) / 2;
    const bool behind = in.marks[middle] != 0 && position_of(in, middle) > what.at;
    const sighting seen = behind ? judge(what, in, of, row) : sighting::before;
    if (seen == sighting::pending) return false;
    if (seen == sighting::before) what.low = middle + 1;
    if (seen == sighting::unknown) what.high = middle;
    if (behind && seen == sighting::before) what.at = position_of(in, middle);
    what.looked_at = 0;
  }
  return true;
}

// Whether the stream's first block at or behind the mark in the middle begins at or before what is
// looked for. Looks only so far, and not behind the next mark that was judged: not knowing means
// beginning further ahead, which is right too.
place_finder::sighting place_finder::judge(place_search& what, const segment& in,
                                           const stream_rows& of, const index_row& row) {
  if (what.looked_at == 0) {
    what.looked_at = position_of(in, (what.low + what.high) / 2);
    what.looked = 0;
  }
  const bool judged = what.high < in.marks.size() && in.marks[what.high] != 0;
  const std::uint64_t end = judged ? position_of(in, what.high) : records_.end(in);
  for (; what.looked < records_max && what.looked_at < end; ++what.looked) {
    const auto found = records_.look_at(in, what.looked_at, no_stream);
    if (found.what == segment_reader::seen::pending) return sighting::pending;
    if (found.what != segment_reader::seen::good) return sighting::unknown;
    if (tells(found.header.head, of, row))
      return found.header.head.first_sequence <= what.from ? sighting::before : sighting::unknown;
    what.looked_at += record_size(found.header.body_len);
  }
  return sighting::unknown;
}

void place_finder::restart(place_search& what, const index_row& row) noexcept {
  what.at = row.position;
  what.low = what.high = 0;
  what.whole = true;
}

void place_finder::end(const place_search& what) noexcept {
  if (&what == &without_room_) return;
  const auto index = &what - searches_.data();
  std::swap(searches_[static_cast<std::size_t>(index)], searches_.back());
  searches_.pop_back();
}

}  // namespace holdfast
