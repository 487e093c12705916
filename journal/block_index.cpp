#include "journal/block_index.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace holdfast {
namespace {

std::uint32_t live_above(const index_row& row, std::uint64_t floor) noexcept {
  return floor > row.last ? 0
                          : static_cast<std::uint32_t>(row.last + 1 - std::max(row.first, floor));
}

std::size_t first_ending_at(const stream_rows& of, std::uint64_t sequence) {
  const auto at =
      std::lower_bound(of.rows.begin(), of.rows.end(), sequence,
                       [](const index_row& row, std::uint64_t s) { return row.last < s; });
  return static_cast<std::size_t>(at - of.rows.begin());
}

}  // namespace

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

// The row's bits, made if it has none yet.
bitmap& block_index::bits_of(const stream_rows& of, index_row& row) {
  if (row.gone) return *row.gone;
  row.gone = std::make_unique<bitmap>();
  row.gone->resize(row.span());
  row.gone->set(0, row.span() - live_above(row, of.floor));
  return *row.gone;
}

// [from, to) of the row's messages are finished, the floor apart.
void block_index::finish(stream_rows& of, index_row& row, std::uint64_t from, std::uint64_t to) {
  const watch telling(changed_, row);
  if (!row.gone && of.floor >= to) {
    row.live = live_above(row, of.floor);
    return;
  }
  const std::size_t fewer = bits_of(of, row).set(from - row.first, to - row.first);
  row.live -= static_cast<std::uint32_t>(fewer);
}

void block_index::insert(stream_rows& of, std::size_t at, index_row row) {
  changed_(row.position, 1, static_cast<std::int64_t>(row.live_bytes()));
  of.rows.insert(of.rows.begin() + static_cast<std::ptrdiff_t>(at), std::move(row));
  ++row_count_;
}

// A row grows at its end; what lies between its last message and the new ones is not there.
void block_index::extend(stream_rows& of, index_row& row, range messages, std::uint64_t bytes) {
  const watch telling(changed_, row);
  row.bytes += bytes;
  const std::uint64_t old_span = row.span();
  if (messages.first != row.last + 1) bits_of(of, row);
  row.last = messages.end() - 1;
  const std::uint64_t floor = std::min(std::max(of.floor, messages.first), messages.end());
  row.live += static_cast<std::uint32_t>(messages.end() - floor);
  if (!row.gone) return;
  row.gone->resize(row.span());
  row.gone->set(old_span, floor - row.first);
}

void block_index::add(stream_id stream, range messages, const place& at) {
  stream_rows& of = streams_[stream];
  of.next = std::max(of.next, messages.end());
  if (!of.rows.empty() && messages.first <= of.rows.back().last) return;  // known already
  if (!of.rows.empty() && of.rows.back().position >= at.base) {
    extend(of, of.rows.back(), messages, at.bytes);
    return;
  }
  index_row row;
  row.position = at.position;
  row.first = messages.first;
  row.last = messages.end() - 1;
  row.bytes = at.bytes;
  row.live = live_above(row, of.floor);
  insert(of, of.rows.size(), std::move(row));
}

void block_index::undo(stream_id stream, range messages, std::uint64_t bytes) {
  stream_rows& of = streams_[stream];
  if (of.rows.empty() || of.rows.back().last != messages.end() - 1) return;  // settled already
  index_row& row = of.rows.back();
  const std::uint64_t live_before = row.live;
  if (messages.first <= row.first) {
    changed_(row.position, -1, -static_cast<std::int64_t>(row.live_bytes()));
    of.rows.pop_back();
    --row_count_;
    return;
  }
  const watch telling(changed_, row);
  row.bytes -= std::min(row.bytes, bytes);
  row.last = messages.first - 1;
  if (row.gone) row.gone->resize(row.span());
  row.live = row.gone ? static_cast<std::uint32_t>(row.span() - row.gone->ones())
                      : live_above(row, of.floor);
  check(row.live <= live_before, "taking a block back adds nothing");
}

void block_index::move(stream_id stream, range messages, const place& to) {
  stream_rows* of = find(stream);
  if (!of) return;
  std::size_t at = first_ending_at(*of, messages.first);
  while (at < of->rows.size() && of->rows[at].first < messages.end())
    at = of->rows[at].position >= to.base ? at + 1 : move_row(*of, at, messages, to);
}

// Makes two rows of one: below `sequence`, and from it on, both where the one was.
void block_index::split(stream_rows& of, std::size_t at, std::uint64_t sequence) {
  index_row left;
  {
    index_row& row = of.rows[at];
    const watch telling(changed_, row);
    const bitmap& whole = bits_of(of, row);
    left.position = row.position;
    left.first = row.first;
    left.last = sequence - 1;
    left.bytes = row.bytes / row.span() * left.span();
    left.gone = std::make_unique<bitmap>(whole.part(0, left.span()));
    left.live = static_cast<std::uint32_t>(left.span() - left.gone->ones());
    *row.gone = whole.part(left.span(), row.span());
    row.first = sequence;
    row.bytes -= left.bytes;
    row.live -= left.live;
  }
  insert(of, at, std::move(left));
}

// The live messages of one row that are among `messages` go to a row of their own before it. The
// index of the row to look at next.
std::size_t block_index::move_row(stream_rows& of, std::size_t at, range messages,
                                  const place& to) {
  const std::uint64_t from = std::max(messages.first, of.rows[at].first);
  const std::uint64_t end = std::min(messages.end(), of.rows[at].last + 1);
  runs_.clear();
  for_each_live(of, of.rows[at], from, end, [this](range run) { runs_.push_back(run); });
  std::uint64_t bytes = to.bytes;
  for (const range& run : runs_) {
    // Moves need not come in order, as after a restart in the midst of them.
    bool earlier = false;
    for_each_live(of, of.rows[at], 0, run.first, [&earlier](range) { earlier = true; });
    if (earlier) split(of, at++, run.first);
    index_row* before = at == 0 ? nullptr : &of.rows[at - 1];
    if (before && before->position >= to.base && before->first >= of.rows[at].first) {
      extend(of, *before, run, bytes);
    } else {
      index_row row;
      row.position = to.position;
      row.first = run.first;
      row.last = run.end() - 1;
      row.live = static_cast<std::uint32_t>(run.count);
      row.bytes = bytes;
      insert(of, at++, std::move(row));
    }
    bytes = 0;
    finish(of, of.rows[at], run.first, run.end());
  }
  const std::size_t rows = of.rows.size();
  drop_finished(of, at, at + 1);
  return of.rows.size() == rows ? at + 1 : at;
}

void block_index::restore_row(stream_id stream, index_row row) {
  stream_rows& of = streams_[stream];
  of.next = std::max(of.next, row.last + 1);
  if (row.gone) {
    row.gone->resize(row.span());
    if (of.floor > row.first)
      row.gone->set(0, std::min<std::uint64_t>(of.floor - row.first, row.span()));
    row.live = static_cast<std::uint32_t>(row.span() - row.gone->ones());
  } else {
    row.live = live_above(row, of.floor);
  }
  insert(of, of.rows.size(), std::move(row));
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
  if (what.first <= lowest) {
    trim(stream, std::min(end, of->next));
    return;
  }
  const std::size_t from = first_ending_at(*of, first);
  std::size_t to = from;
  for (; to < of->rows.size() && of->rows[to].first < end; ++to) {
    index_row& row = of->rows[to];
    finish(*of, row, std::max(first, row.first), std::min(end, row.last + 1));
  }
  drop_finished(*of, from, to);
}

void block_index::trim(stream_id stream, std::uint64_t to) {
  stream_rows* of = find(stream);
  if (!of || to <= of->floor) return;
  const std::uint64_t former = std::exchange(of->floor, to);
  std::size_t touched = 0;
  for (; touched < of->rows.size() && of->rows[touched].first < to; ++touched) {
    index_row& row = of->rows[touched];
    finish(*of, row, std::max(row.first, std::min(former, row.last + 1)),
           std::min(to, row.last + 1));
  }
  drop_finished(*of, 0, touched);
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

stream_rows* block_index::find(stream_id stream) noexcept {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

const index_row* block_index::row_for(const stream_rows& of, std::uint64_t sequence) noexcept {
  const std::size_t at = first_ending_at(of, sequence);
  return at == of.rows.size() ? nullptr : &of.rows[at];
}

void block_index::live_in(stream_id stream, range messages, std::uint64_t from, std::uint64_t to,
                          std::vector<range>& out) {
  const stream_rows* of = find(stream);
  if (!of) return;
  for (std::size_t at = first_ending_at(*of, messages.first);
       at < of->rows.size() && of->rows[at].first < messages.end(); ++at) {
    const index_row& row = of->rows[at];
    if (row.position >= from && row.position < to)
      for_each_live(*of, row, messages.first, messages.end(),
                    [&out](range r) { out.push_back(r); });
  }
}

}  // namespace holdfast
