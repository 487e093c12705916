#include "journal/backlog_reader.hpp"

#include <algorithm>

namespace holdfast {

fetched backlog_reader::read(const request& what, std::vector<block>& out) {
  stream_rows* of = core_.index.find(what.stream);
  if (!of) return {fetch::end, {}};
  const index_row* row = block_index::row_for(*of, what.from);
  if (!row) return {fetch::gap, {what.from, what.until - what.from}};
  if (row->first > what.from)
    return {fetch::gap, {what.from, std::min(row->first, what.until) - what.from}};
  const segment* in = core_.segments.find(row->position);
  if (!in || in->file == 0) return {fetch::gap, {what.from, row->end() - what.from}};
  place_search& search = places_.search(*in, *of, *row, what.from);
  if (!places_.find(search, *in, *of, *row)) return {fetch::pending, {}};
  fetched got = read_row(what, *of, *row, search, out);
  // A message that was moved twice may lie twice in a segment, and only the first place counts.
  if (got.outcome == fetch::gap && !search.whole) {
    place_finder::restart(search, *row);
    got = read_row(what, *of, *row, search, out);
  }
  if (got.outcome == fetch::gap) ++core_.stats.corrupt;
  if (got.outcome != fetch::pending) places_.end(search);
  return got;
}

fetched backlog_reader::read_row(const request& what, stream_rows& of, const index_row& row,
                                 place_search& search, std::vector<block>& out) {
  const segment* in = core_.segments.find(row.position);
  const std::uint64_t row_end = std::min(row.end(), what.until);
  std::uint64_t at = search.at;
  std::uint64_t from = what.from;
  std::uint64_t bytes = 0;
  const auto lost = [&](std::uint64_t to) {
    if (from != what.from) return fetched{fetch::ok, {}};
    return fetched{fetch::gap, {from, to - from}};
  };
  const auto pending = [&](std::uint64_t got_to) {
    if (from != what.from) return fetched{fetch::ok, {}};
    search.at = got_to;
    return fetched{fetch::pending, {}};
  };
  while (from < row_end) {
    if (from != what.from &&
        (from - what.from >= what.limits.messages || bytes >= what.limits.bytes))
      break;
    if (at >= records_.end(*in)) return lost(row.end());
    const auto found = records_.look_at(*in, at, what.stream, from);
    if (found.what == segment_reader::seen::pending) return pending(at);
    if (found.what == segment_reader::seen::corrupt_header ||
        found.what == segment_reader::seen::unreadable) {
      const auto next = records_.resync(*in, at + record_unit);
      at = next.position;
      if (next.pending) return pending(at);
      continue;
    }
    const record_head& head = found.header.head;
    const std::uint64_t record_at = at;
    at += record_size(found.header.body_len);
    if (head.type != record_type::block || head.stream != what.stream) continue;
    const std::uint64_t end = head.first_sequence + head.count;
    if (end <= from || head.first_sequence > row.last()) continue;
    if (head.first_sequence > from) {
      // What follows one another by sequence and place are the messages that are not finished.
      if (of.unfinished(head.first_sequence, end) == 0) continue;
      of.hint_sequence = head.first_sequence;
      of.hint_position = record_at;
      return lost(head.first_sequence);
    }
    of.hint_sequence = end;
    of.hint_position = at;
    if (found.what == segment_reader::seen::corrupt_body) return lost(end);
    out.push_back(to_block(head, found.record.slice(record_header_bytes, found.header.body_len)));
    bytes += found.header.body_len;
    from = end;
  }
  return {fetch::ok, {}};
}

}  // namespace holdfast
