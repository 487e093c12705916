// reader: looks at a journal without opening it: dead or in use by a device. For tools. It reads
// by pread and verifies what it copied; it takes no lock and never writes.
//
// Contract: blocking; any thread, one at a time. A live journal moves while it is read: a segment
// that disappears is "trimmed", not damage, and what lies at or above the highest watermark seen
// may be half written. Nothing here decides what recovery would do; it reports. Memory: one window
// or the largest record, and a row for each bad stretch; in open(), one checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/index_walk.hpp"
#include "journal/journal_info.hpp"

namespace holdfast {

struct verify_summary {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t blocks = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t watermark = 0;
  std::uint64_t tail = 0;             ///< where the readable log ends
  std::vector<damage> damaged;        ///< below the watermark
  std::vector<damage> torn;           ///< at or above it: a torn tail, or being written right now
  std::vector<std::string> problems;  ///< headers, checkpoints
};

class journal_reader {
 public:
  /// errc::not_found if there is no journal in `directory`.
  static result<std::unique_ptr<journal_reader>> open(const std::string& directory);
  virtual ~journal_reader() = default;

  virtual const journal_info& info() const noexcept = 0;
  /// What the patterns stored in the newest checkpoint (patterns/state.hpp); empty if there is
  /// none. Reads it again.
  virtual result<std::vector<std::byte>> checkpoint_rows() = 0;
  /// Bytes of the log that lie below a position, gaps between segments left out; ~0 asks for all.
  /// How far a walk has come.
  virtual std::uint64_t bytes_before(std::uint64_t position) const noexcept = 0;
  using taker = std::function<bool(const seen_record&)>;
  /// Calls `take` for every record from position `from` on until it returns false. Where segments
  /// are trimmed meanwhile it goes on into those made since, so that a message that was moved is
  /// met at least once.
  virtual status walk(std::uint64_t from, const taker& take) = 0;
  /// Checks every record from position `from` on; each good one goes to `take`, if there is one,
  /// until it returns false. If only some are wanted, segments that have an index file are not gone
  /// through: only blocks that are wanted, and definitions, are read there.
  virtual result<verify_summary> verify(std::uint64_t from = 0, const taker& take = {},
                                        const record_choice& wanted = {}) = 0;
};

}  // namespace holdfast
