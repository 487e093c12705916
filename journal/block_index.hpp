// block_index: where the messages of each stream are: one row per segment and stream, never a row
// per block, and which of them are finished. That decides when a segment may go and when one is
// worth draining.
//
// A row stands for messages that follow one another by sequence and by place in one segment; what
// is missing between them is finished. Rows of a stream do not overlap: of a message that lies in
// two segments (it was moved) one place counts.
//
// Contract: no I/O, one thread. Exact: a message counts as live until it was settled or trimmed, in
// the row where it is, each as often as wanted. Memory: 32 B a row, about 100 B a stream, and a bit
// a message finished out of order (finished_set.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/record.hpp"
#include "journal/finished_set.hpp"

namespace holdfast {

struct index_row {
  std::uint64_t position = 0;  ///< of the first record that holds one of its messages
  std::uint64_t first = 0;
  std::uint32_t span = 0;   ///< from the first message to behind the last one
  std::uint32_t live = 0;   ///< messages that are not finished
  std::uint32_t count = 0;  ///< messages that are there, finished or not
  std::uint32_t bytes = 0;  ///< of its records, all of them

  std::uint64_t end() const noexcept { return first + span; }
  std::uint64_t last() const noexcept { return first + span - 1; }
  /// What of its bytes is live, by the share of its messages that are.
  std::uint64_t live_bytes() const noexcept {
    return std::uint64_t{bytes} * live / std::max(count, std::uint32_t{1});
  }
};

struct stream_rows {
  stream_id stream = no_stream;
  std::vector<index_row> rows;             ///< by sequence; only rows with something live
  std::uint64_t floor = 1;                 ///< everything below is finished
  std::uint64_t next = 0;                  ///< sequence after the last appended
  std::unique_ptr<finished_set> finished;  ///< at or above the floor; null: none is
  // Where sequential reading stands: the record at `hint_position` is the first that can hold
  // `hint_sequence`.
  std::uint64_t hint_sequence = 0;
  std::uint64_t hint_position = 0;

  /// How many of [from, to) are live, as far as they are anywhere.
  std::uint64_t unfinished(std::uint64_t from, std::uint64_t to) const;
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
  void settle(stream_id stream, range what);
  void trim(stream_id stream, std::uint64_t to);

  // What a former run knew. Streams first, then what is finished, then rows.
  void restore_stream(stream_id stream, std::uint64_t floor, std::uint64_t next);
  void restore_finished(stream_id stream, std::uint64_t first, std::uint64_t whole,
                        std::span<const std::uint64_t> words);
  void restore_live(stream_id stream, range messages);  ///< takes back what was said to be finished
  /// Rows of a segment that begins at `base`, as far as their messages are live and in no other
  /// row. Of one stream those that follow in the segment follow by sequence.
  void fill(stream_id stream, const index_row& row, std::uint64_t base);
  /// There are segments whose rows are to come by fill().
  void set_incomplete(bool on) noexcept { incomplete_ = on; }
  bool incomplete() const noexcept { return incomplete_; }

  stream_rows* find(stream_id stream) noexcept;
  /// In the order in which they came; none ever goes.
  const std::deque<stream_rows>& streams() const noexcept { return streams_; }
  /// The row that contains `sequence`, or the first one behind it; null if none.
  static const index_row* row_for(const stream_rows& of, std::uint64_t sequence) noexcept;
  /// Adds the runs of live messages in `messages` whose row lies in [from, to) of the journal.
  void live_in(stream_id stream, range messages, std::uint64_t from, std::uint64_t to,
               std::vector<range>& out);
  std::uint64_t row_count() const noexcept { return row_count_; }

 private:
  class watch;  // tells on_live what happened to a row

  stream_rows& at(stream_id stream);
  void insert(stream_rows& of, std::size_t at, const index_row& row);
  bool extend(const stream_rows& of, index_row& row, const index_row& by, std::uint64_t base);
  void place_run(stream_rows& of, std::size_t at, const index_row& row, std::uint64_t base);
  std::size_t take_out(stream_rows& of, std::size_t at, range what);
  void move_run(stream_rows& of, range run, const place& to);
  void drop_finished(stream_rows& of, std::size_t from, std::size_t to);
  void raise_floor(stream_rows& of, std::uint64_t to);

  std::unordered_map<stream_id, stream_rows*> by_id_;
  std::deque<stream_rows> streams_;
  std::uint64_t row_count_ = 0;
  bool incomplete_ = false;
  on_live changed_;
};

/// Calls `take` with each run of messages in [from, to) that is not finished.
template <typename Take>
void for_each_unfinished(const stream_rows& of, std::uint64_t from, std::uint64_t to, Take take) {
  from = std::max(from, of.floor);
  while (from < to) {
    std::uint64_t end = to;
    if (of.finished) {
      from = of.finished->find(false, from, to);
      end = from < to ? of.finished->find(true, from, to) : to;
    }
    if (from < end) take(range{from, end - from});
    from = end;
  }
}

}  // namespace holdfast
