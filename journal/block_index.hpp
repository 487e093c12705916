// block_index: where the messages of each stream are: one row per segment and stream, never a row
// per block. It also counts what is still live, which decides when a segment may go.
//
// Contract: no I/O, one thread. A row's `settled` is a lower bound of its finished messages, so a
// row is never freed early. Each message above the floor is settled at most once; ranges below the
// floor are ignored. Memory: 40 B a row, 64 B a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/record.hpp"

namespace holdfast {

struct index_row {
  std::uint64_t position = 0;  ///< of the stream's first record in this segment
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint32_t count = 0;
  std::uint32_t settled = 0;
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
  /// Called with a position in the segment whose live rows changed, and by how much.
  using on_live = std::function<void(std::uint64_t position, int change)>;
  explicit block_index(on_live changed) : changed_(std::move(changed)) {}

  /// A block of `stream` was placed at `position`, in a segment that begins at `segment_base`.
  void add(stream_id stream, range messages, std::uint64_t position, std::uint64_t segment_base);
  /// Takes back the newest block of its stream (it is written elsewhere).
  void undo(stream_id stream, range messages);
  void restore_row(stream_id stream, const index_row& row);
  void restore_floor(stream_id stream, std::uint64_t floor, std::uint64_t next);

  void settle(stream_id stream, range what);
  void trim(stream_id stream, std::uint64_t to);

  stream_rows* find(stream_id stream) noexcept;
  /// The first row that ends at or after `sequence`; null if none.
  static const index_row* row_for(const stream_rows& of, std::uint64_t sequence) noexcept;
  const std::unordered_map<stream_id, stream_rows>& streams() const noexcept { return streams_; }
  std::uint64_t row_count() const noexcept { return row_count_; }

 private:
  void drop_finished(stream_rows& of, std::size_t from, std::size_t to);

  std::unordered_map<stream_id, stream_rows> streams_;
  on_live changed_;
  std::uint64_t row_count_ = 0;
};

}  // namespace holdfast
