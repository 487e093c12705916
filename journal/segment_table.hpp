// segment_table: the segments of the log, sorted by base position. Which file holds a position is
// found here, never by division: segments differ in size and some are gone.
//
// Contract: plain bookkeeping, no I/O, one thread. Addresses of segments are stable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/storage.hpp"
#include "journal/format.hpp"

namespace holdfast {

struct segment {
  segment_header header;
  std::uint64_t key = 0;        ///< segment_key(journal id, epoch)
  file_id file = 0;             ///< 0: the file is missing
  std::uint64_t end = 0;        ///< position where its records end (so far)
  bool in_log = true;           ///< false: cut off by recovery or abandoned after a failed write
  bool second_header = true;    ///< both copies of the header are this one
  bool header_asked = false;    ///< the second copy is being written
  bool unsound = false;         ///< a write or sync of its file failed: nothing more is asked of it
  std::uint32_t live_rows = 0;  ///< index rows with a live message in this segment
  std::uint64_t live_bytes = 0;  ///< of its records, as the index estimates
  std::uint64_t freed_at = 0;    ///< records below this position freed it
  bool drained = false;          ///< messages were moved out: checkpoints of before need it
  bool undrainable = false;      ///< something in it cannot be read, and is kept as it is
  bool rows_known = true;        ///< the block index has what lies in it
  bool indexed = false;          ///< its index file is whole and durable
  bool no_index = false;         ///< that could not be written
  bool rows_listed = false;      ///< the checkpoint under way lists its rows
  /// Offset / 16 of the first record that begins in each MiB of the file, the first left out; 0 =
  /// unknown or none.
  std::vector<std::uint32_t> marks;

  std::uint64_t base() const noexcept { return header.base; }
  std::uint64_t limit() const noexcept { return header.base + header.size; }
  std::uint64_t first_record() const noexcept { return header.base + records_at; }
  bool contains(std::uint64_t position) const noexcept {
    return position >= base() && position < limit();
  }
  /// A record begins at `position`.
  void mark(std::uint64_t position) {
    if (position - base() >= next_mark()) mark_first(position);
  }

 private:
  static constexpr std::uint64_t mark_unit = 1ull << 20;
  std::uint64_t next_mark() const noexcept { return (marks.size() + 1) * mark_unit; }
  void mark_first(std::uint64_t position);
};

/// "seg/000017.seg"
std::string segment_name(std::uint32_t slot);
/// The slot in a name; -1 if it is not a segment's name.
std::int64_t segment_slot(const std::string& name);

class segment_table {
 public:
  segment& add(segment made);
  /// The segment that holds `position`, in the log or not; null if none does.
  segment* find(std::uint64_t position) noexcept;
  const segment* find(std::uint64_t position) const noexcept;
  void remove(std::uint64_t base);
  std::vector<std::unique_ptr<segment>>& all() noexcept { return all_; }
  const std::vector<std::unique_ptr<segment>>& all() const noexcept { return all_; }
  /// Where the next segment's base is: behind everything there ever was.
  std::uint64_t next_base() const noexcept { return next_base_; }
  void raise_next_base(std::uint64_t base) noexcept;

 private:
  std::vector<std::unique_ptr<segment>> all_;
  std::uint64_t next_base_ = 0;
};

}  // namespace holdfast
