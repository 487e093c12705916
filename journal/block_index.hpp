// block_index: where the messages of each stream are: one row per segment and stream, never a row
// per block (and one for each segment that holds relocated messages of another's). It also knows
// which of them are still live, which decides when a segment may go and when one is worth draining.
//
// Contract: no I/O, one thread. Exact: a message counts as live until it was settled, trimmed or
// moved, each as often as wanted. Memory: 64 B a row, 64 B a stream, and a bit a message in rows
// where something is gone out of order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/record.hpp"
#include "journal/bitmap.hpp"

namespace holdfast {

struct index_row {
  std::uint64_t position = 0;  ///< of the stream's first record in this segment
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint32_t live = 0;        ///< messages that are not finished
  std::uint64_t bytes = 0;       ///< of its records, all of them
  std::unique_ptr<bitmap> gone;  ///< by sequence - first; null: all from the floor on are live

  std::uint64_t span() const noexcept { return last + 1 - first; }
  /// What of its bytes is live, by the share of its messages that are.
  std::uint64_t live_bytes() const noexcept { return bytes / span() * live; }
};

struct stream_rows {
  std::vector<index_row> rows;  ///< by sequence; only rows with something live
  std::uint64_t floor = 0;      ///< everything below is finished
  std::uint64_t next = 0;       ///< sequence after the last appended
  // Where sequential reading stands: the record at `hint_position` is the first that can hold
  // `hint_sequence`.
  std::uint64_t hint_sequence = 0;
  std::uint64_t hint_position = 0;
};

class block_index {
 public:
  /// Called with a position in a segment, by how much its number of live rows changed, and its
  /// live bytes.
  using on_live = std::function<void(std::uint64_t position, int rows, std::int64_t bytes)>;
  explicit block_index(on_live changed) : changed_(std::move(changed)) {}

  /// A block's place: its record at `position` takes `bytes`, in a segment that begins at `base`.
  struct place {
    std::uint64_t position = 0;
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;
  };
  void add(stream_id stream, range messages, const place& at);
  /// The newest block of `stream` is not where add() said.
  void undo(stream_id stream, range messages, std::uint64_t bytes);
  /// Those of `messages` that are live are at `to` from now on.
  void move(stream_id stream, range messages, const place& to);
  void restore_row(stream_id stream, index_row row);
  void restore_floor(stream_id stream, std::uint64_t floor, std::uint64_t next);
  void settle(stream_id stream, range what);
  void trim(stream_id stream, std::uint64_t to);

  stream_rows* find(stream_id stream) noexcept;
  const std::unordered_map<stream_id, stream_rows>& streams() const noexcept { return streams_; }
  /// The row that contains `sequence`, or the first one behind it; null if none.
  static const index_row* row_for(const stream_rows& of, std::uint64_t sequence) noexcept;
  /// Adds the runs of live messages in `messages` whose row lies in [from, to) of the journal.
  void live_in(stream_id stream, range messages, std::uint64_t from, std::uint64_t to,
               std::vector<range>& out);
  std::uint64_t row_count() const noexcept { return row_count_; }

 private:
  class watch;  // tells on_live what happened to a row

  static bitmap& bits_of(const stream_rows& of, index_row& row);
  void finish(stream_rows& of, index_row& row, std::uint64_t from, std::uint64_t to);
  void insert(stream_rows& of, std::size_t at, index_row row);
  void extend(stream_rows& of, index_row& row, range messages, std::uint64_t bytes);
  void split(stream_rows& of, std::size_t at, std::uint64_t sequence);
  std::size_t move_row(stream_rows& of, std::size_t at, range messages, const place& to);
  void drop_finished(stream_rows& of, std::size_t from, std::size_t to);

  std::unordered_map<stream_id, stream_rows> streams_;
  std::uint64_t row_count_ = 0;
  on_live changed_;
  std::vector<range> runs_;  // reused
};

/// Calls `take` with each run of live messages of `row` in [from, to).
template <typename Take>
void for_each_live(const stream_rows& of, const index_row& row, std::uint64_t from,
                   std::uint64_t to, Take take) {
  from = std::max({from, row.first, of.floor});
  to = std::min(to, row.last + 1);
  while (from < to) {
    std::uint64_t end = to;
    if (row.gone) {
      from = row.first + row.gone->find(false, from - row.first, to - row.first);
      end = from < to ? row.first + row.gone->find(true, from - row.first, to - row.first) : to;
    }
    if (from < end) take(range{from, end - from});
    from = end;
  }
}

}  // namespace holdfast
