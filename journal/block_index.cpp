#include "journal/block_index.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();

std::uint32_t narrow(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(std::min(value, u32_max));
}

std::size_t first_ending_behind(const stream_rows& of, std::uint64_t sequence) {
  const auto at =
      std::lower_bound(of.rows.begin(), of.rows.end(), sequence,
                       [](const index_row& row, std::uint64_t s) { return row.end() <= s; });
  return static_cast<std::size_t>(at - of.rows.begin());
}

// The part of a row that is [from, to), with its share of what is there.
index_row part_of(const stream_rows& of, const index_row& row, std::uint64_t from,
                  std::uint64_t to) {
  index_row part = row;
  part.first = from;
  part.span = narrow(to - from);
  part.live = narrow(of.unfinished(from, to));
  const double share = static_cast<double>(part.span) / row.span;
  part.count = std::max(part.live, static_cast<std::uint32_t>(row.count * share));
  part.bytes = static_cast<std::uint32_t>(row.bytes * share);
  return part;
}

}  // namespace

std::uint64_t stream_rows::unfinished(std::uint64_t from, std::uint64_t to) const {
  from = std::max(from, floor);
  if (from >= to) return 0;
  return to - from - (finished ? finished->count(from, to) : 0);
}

// Tells of a row's live bytes what changed while this lives.
class block_index::watch {
 public:
  watch(const on_live& changed, const index_row& row)
      : changed_(changed), row_(row), before_(row.live_bytes()) {}
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch() {
    const auto by = static_cast<std::int64_t>(row_.live_bytes() - before_);
    if (by != 0) changed_(row_.position, 0, by);
  }

 private:
  const on_live& changed_;
  const index_row& row_;
  std::uint64_t before_;
};

stream_rows& block_index::at(stream_id stream) {
  stream_rows*& known = by_id_[stream];
  if (!known) {
    known = &streams_.emplace_back();
    known->stream = stream;
  }
  return *known;
}

stream_rows* block_index::find(stream_id stream) noexcept {
  const auto it = by_id_.find(stream);
  return it == by_id_.end() ? nullptr : it->second;
}

void block_index::insert(stream_rows& of, std::size_t at, const index_row& row) {
  if (row.live == 0) return;
  changed_(row.position, 1, static_cast<std::int64_t>(row.live_bytes()));
  of.rows.insert(of.rows.begin() + static_cast<std::ptrdiff_t>(at), row);
  ++row_count_;
}

// Makes `row` stand for the messages of `by` as well, if they follow it in the segment at `base`.
bool block_index::extend(const stream_rows& of, index_row& row, const index_row& by,
                         std::uint64_t base) {
  const bool follows = row.position >= base && row.position <= by.position &&
                       row.end() <= by.first && by.end() - row.first <= u32_max;
  if (!follows || of.unfinished(row.end(), by.first) != 0) return false;
  const watch telling(changed_, row);
  row.span = narrow(by.end() - row.first);
  row.live += by.live;
  row.count += by.count;
  row.bytes = narrow(std::uint64_t{row.bytes} + by.bytes);
  return true;
}

// Puts messages that are in no row before the row at `at`.
void block_index::place_run(stream_rows& of, std::size_t at, const index_row& row,
                            std::uint64_t base) {
  if (row.live == 0 || (at != 0 && extend(of, of.rows[at - 1], row, base))) return;
  insert(of, at, row);
}

void block_index::add(stream_id stream, range messages, const place& at) {
  stream_rows& of = this->at(stream);
  of.next = std::max(of.next, messages.end());
  if (!of.rows.empty() && messages.first <= of.rows.back().last()) return;  // known already
  index_row row;
  row.position = at.position;
  row.first = messages.first;
  row.span = row.count = narrow(messages.count);
  row.live = narrow(of.unfinished(messages.first, messages.end()));
  row.bytes = narrow(at.bytes);
  place_run(of, of.rows.size(), row, at.base);
}

void block_index::undo(stream_id stream, range messages, std::uint64_t bytes) {
  stream_rows* of = find(stream);
  if (!of || of->rows.empty() || of->rows.back().end() != messages.end()) return;  // settled
  index_row& row = of->rows.back();
  if (messages.first > row.first) {
    const watch telling(changed_, row);
    row.live -= narrow(of->unfinished(messages.first, messages.end()));
    row.span = narrow(messages.first - row.first);
    row.count -= std::min(row.count, narrow(messages.count));
    row.bytes -= std::min(row.bytes, narrow(bytes));
  } else {
    const watch telling(changed_, row);
    row.live = 0;
  }
  drop_finished(*of, of->rows.size() - 1, of->rows.size());
}

void block_index::move(stream_id stream, range messages, const place& to) {
  stream_rows& of = at(stream);
  of.next = std::max(of.next, messages.end());
  std::uint64_t bytes = to.bytes;
  for_each_unfinished(of, messages.first, messages.end(), [&](range run) {
    move_run(of, run, {to.position, to.base, std::exchange(bytes, 0)});
  });
}

// All of the run are live. Those that lie further on in the journal already stay there.
void block_index::move_run(stream_rows& of, range run, const place& to) {
  std::uint64_t bytes = to.bytes;
  for (std::uint64_t from = run.first; from < run.end();) {
    std::size_t at = first_ending_behind(of, from);
    const bool in_row = at < of.rows.size() && of.rows[at].first <= from;
    std::uint64_t end = run.end();
    if (at < of.rows.size()) end = std::min(end, in_row ? of.rows[at].end() : of.rows[at].first);
    const range part{from, end - from};
    from = end;
    if (in_row && of.rows[at].position >= to.base) continue;
    if (in_row) at = take_out(of, at, part);
    index_row row;
    row.position = to.position;
    row.first = part.first;
    row.span = row.count = row.live = narrow(part.count);
    row.bytes = narrow(std::exchange(bytes, 0));
    place_run(of, at, row, to.base);
  }
}

// Cuts messages out of the row at `at`. Where a row for them would be put.
std::size_t block_index::take_out(stream_rows& of, std::size_t at, range what) {
  const index_row row = of.rows[at];
  const index_row left = part_of(of, row, row.first, what.first);
  const index_row right = part_of(of, row, what.end(), row.end());
  {
    const watch telling(changed_, of.rows[at]);
    of.rows[at].live = 0;
  }
  insert(of, at + 1, right);
  insert(of, at + 1, left);
  drop_finished(of, at, at + 1);
  return left.live != 0 ? at + 1 : at;
}

void block_index::restore_stream(stream_id stream, std::uint64_t floor, std::uint64_t next) {
  stream_rows& of = at(stream);
  of.floor = std::max(of.floor, floor);
  of.next = std::max(of.next, next);
}

void block_index::restore_finished(stream_id stream, std::uint64_t first, std::uint64_t whole,
                                   std::span<const std::uint64_t> words) {
  stream_rows& of = at(stream);
  if (!of.finished) of.finished = std::make_unique<finished_set>();
  if (whole != 0) of.finished->set(first, first + whole);
  of.finished->add_words(first + whole, words);
}

void block_index::restore_live(stream_id stream, range messages) {
  stream_rows& of = at(stream);
  if (of.finished) of.finished->clear(messages.first, messages.end());
}

void block_index::fill(stream_id stream, const index_row& row, std::uint64_t base) {
  stream_rows& of = at(stream);
  of.next = std::max(of.next, row.end());
  for (std::uint64_t from = std::max(row.first, of.floor); from < row.end();) {
    const std::size_t at = first_ending_behind(of, from);
    const bool there = at < of.rows.size() && of.rows[at].first <= from;
    const std::uint64_t end =
        at < of.rows.size() ? std::min(row.end(), there ? of.rows[at].end() : of.rows[at].first)
                            : row.end();
    if (!there) place_run(of, at, part_of(of, row, from, end), base);
    from = end;
  }
}

void block_index::settle(stream_id stream, range what) {
  stream_rows* of = find(stream);
  if (!of) return;
  const std::uint64_t first = std::max(what.first, of->floor);
  const std::uint64_t end = std::min(what.end(), of->next);
  if (first >= end) return;
  std::uint64_t lowest = of->floor;
  // Below the lowest row nothing is anywhere.
  if (!incomplete_) lowest = of->rows.empty() ? of->next : std::max(lowest, of->rows[0].first);
  if (first <= lowest) {
    raise_floor(*of, end);
    return;
  }
  const std::size_t from = first_ending_behind(*of, first);
  std::size_t to = from;
  for (; to < of->rows.size() && of->rows[to].first < end; ++to) {
    index_row& row = of->rows[to];
    const watch telling(changed_, row);
    row.live -= narrow(of->unfinished(std::max(first, row.first), std::min(end, row.end())));
  }
  if (!of->finished) of->finished = std::make_unique<finished_set>();
  of->finished->set(first, end);
  drop_finished(*of, from, to);
}

void block_index::trim(stream_id stream, std::uint64_t to) {
  stream_rows* of = find(stream);
  if (of && to > of->floor) raise_floor(*of, to);
}

void block_index::raise_floor(stream_rows& of, std::uint64_t to) {
  if (of.finished) to = of.finished->find(false, to, std::max(to, of.next));
  std::size_t touched = 0;
  for (; touched < of.rows.size() && of.rows[touched].first < to; ++touched) {
    index_row& row = of.rows[touched];
    const watch telling(changed_, row);
    row.live -= narrow(of.unfinished(row.first, std::min(to, row.end())));
  }
  of.floor = to;
  if (of.finished) of.finished->drop_below(to);
  if (of.finished && of.finished->empty()) of.finished.reset();
  drop_finished(of, 0, touched);
}

void block_index::drop_finished(stream_rows& of, std::size_t from, std::size_t to) {
  const auto begin = of.rows.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = of.rows.begin() + static_cast<std::ptrdiff_t>(to);
  const auto gone = std::remove_if(begin, end, [&](const index_row& row) {
    if (row.live == 0) changed_(row.position, -1, 0);
    return row.live == 0;
  });
  row_count_ -= static_cast<std::uint64_t>(end - gone);
  of.rows.erase(gone, end);
}

const index_row* block_index::row_for(const stream_rows& of, std::uint64_t sequence) noexcept {
  const std::size_t at = first_ending_behind(of, sequence);
  return at == of.rows.size() ? nullptr : &of.rows[at];
}

void block_index::live_in(stream_id stream, range messages, std::uint64_t from, std::uint64_t to,
                          std::vector<range>& out) {
  const stream_rows* of = find(stream);
  if (!of) return;
  for (std::size_t at = first_ending_behind(*of, messages.first);
       at < of->rows.size() && of->rows[at].first < messages.end(); ++at) {
    const index_row& row = of->rows[at];
    if (row.position < from || row.position >= to) continue;
    for_each_unfinished(*of, std::max(row.first, messages.first),
                        std::min(row.end(), messages.end()),
                        [&out](range run) { out.push_back(run); });
  }
}

}  // namespace holdfast
