// segment_index: the bytes of an index file: what a segment holds of each stream, where, and when.
// Beside seg/NNNNNN.seg lies seg/NNNNNN.idx; docs/journal_format.md is the same in words.
//
// Nothing is lost with an index: it is made by going through the records of its segment, and made
// again where it is missing, damaged or of a former use of the file (its sums are seeded with
// journal, epoch and position, and it names the end of the records it knows).
//
// Contract: plain values, no I/O. A view looks at bytes that outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "journal/segment_table.hpp"

namespace holdfast {

inline constexpr std::uint64_t index_magic = 0x0031'5844'4946'4ca1ULL;
inline constexpr std::uint32_t index_version = 1;
inline constexpr std::size_t index_header_bytes = 128;
inline constexpr std::size_t index_step_bytes = 16;
inline constexpr std::size_t index_row_bytes = 32;
/// A step is noted for the first record of each stretch of so many bytes of the file.
inline constexpr std::uint64_t index_step_every = 64 << 10;

/// "seg/000017.idx"
std::string index_name(std::uint32_t slot);
/// The slot in a name; -1 if it is not an index's name.
std::int64_t index_slot(const std::string& name);

/// A run of messages of one stream in a segment: they follow one another by sequence and by place.
/// Definitions (of channels, streams, producers) are the run of stream 0, counted from 1.
struct segment_run {
  stream_id stream = no_stream;
  std::uint64_t position = 0;  ///< of the first record
  std::uint64_t first = 0;
  std::uint32_t span = 0;          ///< messages
  std::uint32_t bytes = 0;         ///< of the records
  std::uint32_t postings = 0;      ///< ordinal of its first posting
  std::uint32_t postings_end = 0;  ///< and behind its last
};

/// The first record of a stretch of the file, and the latest time of any record before it.
struct segment_step {
  std::uint64_t position = 0;
  std::uint64_t time_ns = 0;
};

class segment_index_view {
 public:
  /// Empty unless all of it is right and is that of a segment with this header, whose records end
  /// at `end`.
  static std::optional<segment_index_view> of(bytes_view file, const segment_header& segment,
                                              std::uint64_t end);

  /// The same of bytes for which that was found to be so.
  static segment_index_view of_checked(bytes_view file, const segment_header& segment);

  std::uint32_t runs() const noexcept { return runs_; }
  segment_run run(std::uint32_t at) const noexcept;         ///< sorted by stream, then by place
  std::uint32_t first_of(stream_id stream) const noexcept;  ///< ordinal of its first run, or behind
  std::uint64_t posting(std::uint32_t at) const noexcept;   ///< position of a record
  std::uint32_t steps() const noexcept { return steps_; }
  segment_step step(std::uint32_t at) const noexcept;
  /// The latest time of any record: a clock that was set back does not lower it.
  std::uint64_t latest_ns() const noexcept { return latest_ns_; }
  /// A position from which on all records of `time_ns` or later lie.
  std::uint64_t position_at(std::uint64_t time_ns) const noexcept;

 private:
  segment_index_view() = default;
  bool check_rows(std::uint64_t end) const noexcept;
  bool lay_out(bytes_view file, const segment_header& segment);

  std::uint64_t base_ = 0;
  bytes_view step_bytes_, row_bytes_, posting_bytes_;
  std::uint32_t steps_ = 0, runs_ = 0, postings_ = 0;
  std::uint64_t latest_ns_ = 0;
};

/// Makes an index of the bytes of a segment, part by part.
class segment_scan {
 public:
  segment_scan(const segment_header& of, std::uint64_t end);
  /// Position of the first byte that take() is to be given next; the end of the records when all
  /// were.
  std::uint64_t position() const noexcept { return at_; }
  bool done() const noexcept { return at_ == end_; }
  /// Something in it was no record.
  bool damaged() const noexcept { return damaged_; }
  /// The bytes from position() on, at least a header's as long as that many are left. Damaged ones
  /// are passed over.
  void take(bytes_view bytes);
  /// So many bytes at position() cannot be read.
  void pass_over(std::uint64_t bytes) noexcept;
  buffer_ref encode();

 private:
  struct seen {
    stream_id stream = no_stream;
    std::uint32_t unit = 0;  // offset / 16
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t bytes = 0;
  };
  void note(const record_header& header, std::uint64_t position);

  segment_header header_;
  std::uint64_t key_;
  std::uint64_t end_;
  std::uint64_t at_;
  bool damaged_ = false;
  std::uint64_t latest_ns_ = 0;
  std::uint64_t definitions_ = 0;
  std::uint64_t next_step_ = 0;  // offset
  std::vector<segment_step> steps_;
  std::vector<seen> seen_;
};

}  // namespace holdfast
