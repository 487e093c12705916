#include "journal/block_index.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace holdfast {
namespace {

std::uint32_t overlap_below(const index_row& row, std::uint64_t floor) noexcept {
  if (floor <= row.first) return 0;
  if (floor > row.last) return row.count;
  // Holes inside a row (bit rot found at recovery) make it a lower bound only if capped.
  const std::uint64_t below = floor - row.first;
  const std::uint64_t above = row.last + 1 - floor;
  const std::uint64_t least = row.count > above ? row.count - above : 0;
  return static_cast<std::uint32_t>(std::min(below, least));
}

std::vector<index_row>::iterator first_ending_at(std::vector<index_row>& rows,
                                                 std::uint64_t sequence) {
  return std::lower_bound(rows.begin(), rows.end(), sequence,
                          [](const index_row& row, std::uint64_t s) { return row.last < s; });
}

}  // namespace

void block_index::add(stream_id stream, range messages, std::uint64_t position,
                      std::uint64_t segment_base) {
  stream_rows& of = streams_[stream];
  of.next = std::max(of.next, messages.end());
  if (!of.rows.empty() && of.rows.back().position >= segment_base) {
    index_row& row = of.rows.back();
    row.last = messages.end() - 1;
    row.count += static_cast<std::uint32_t>(messages.count);
    return;
  }
  index_row row{position, messages.first, messages.end() - 1,
                static_cast<std::uint32_t>(messages.count), 0};
  row.settled = overlap_below(row, of.floor);
  of.rows.push_back(row);
  ++row_count_;
  changed_(position, 1);
}

void block_index::undo(stream_id stream, range messages) {
  stream_rows& of = streams_[stream];
  if (of.rows.empty() || of.rows.back().last != messages.end() - 1) return;  // settled already
  index_row& row = of.rows.back();
  row.count -= std::min(row.count, static_cast<std::uint32_t>(messages.count));
  if (row.count == 0) {
    changed_(row.position, -1);
    of.rows.pop_back();
    --row_count_;
    return;
  }
  row.last = messages.first - 1;
  // Which of the settled messages went with the block is not known: count only what is certain.
  row.settled = overlap_below(row, of.floor);
}

void block_index::restore_row(stream_id stream, const index_row& row) {
  stream_rows& of = streams_[stream];
  of.rows.push_back(row);
  of.rows.back().settled = overlap_below(row, of.floor);
  of.next = std::max(of.next, row.last + 1);
  ++row_count_;
  changed_(row.position, 1);
}

void block_index::restore_floor(stream_id stream, std::uint64_t floor, std::uint64_t next) {
  stream_rows& of = streams_[stream];
  of.floor = floor;
  of.next = std::max(of.next, next);
}

void block_index::settle(stream_id stream, range what) {
  stream_rows* of = find(stream);
  if (!of || what.count == 0 || what.end() <= of->floor) return;
  const std::uint64_t first = std::max(what.first, of->floor);
  const std::uint64_t end = what.end();
  const std::uint64_t lowest =
      std::max(of->floor, of->rows.empty() ? of->next : of->rows.front().first);
  const auto from = first_ending_at(of->rows, first);
  auto row = from;
  for (; row != of->rows.end() && row->first < end; ++row) {
    const std::uint64_t inside = std::min(end, row->last + 1) - std::max(first, row->first);
    row->settled +=
        static_cast<std::uint32_t>(std::min<std::uint64_t>(inside, row->count - row->settled));
  }
  if (what.first <= lowest) of->floor = std::max(of->floor, std::min(end, of->next));
  drop_finished(*of, static_cast<std::size_t>(from - of->rows.begin()),
                static_cast<std::size_t>(row - of->rows.begin()));
}

void block_index::trim(stream_id stream, std::uint64_t to) {
  stream_rows* of = find(stream);
  if (!of || to <= of->floor) return;
  of->floor = to;
  std::size_t touched = 0;
  for (; touched < of->rows.size() && of->rows[touched].first < to; ++touched) {
    index_row& row = of->rows[touched];
    row.settled = std::max(row.settled, overlap_below(row, to));
  }
  drop_finished(*of, 0, touched);
}

void block_index::drop_finished(stream_rows& of, std::size_t from, std::size_t to) {
  const auto begin = of.rows.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = of.rows.begin() + static_cast<std::ptrdiff_t>(to);
  const auto gone = std::remove_if(begin, end, [&](const index_row& row) {
    const bool finished = row.settled >= row.count || row.last < of.floor;
    if (finished) changed_(row.position, -1);
    return finished;
  });
  row_count_ -= static_cast<std::uint64_t>(end - gone);
  of.rows.erase(gone, end);
}

stream_rows* block_index::find(stream_id stream) noexcept {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

const index_row* block_index::row_for(const stream_rows& of, std::uint64_t sequence) noexcept {
  const auto it =
      std::lower_bound(of.rows.begin(), of.rows.end(), sequence,
                       [](const index_row& row, std::uint64_t s) { return row.last < s; });
  return it == of.rows.end() ? nullptr : &*it;
}

}  // namespace holdfast
