// block_walker: turns a run (messages still in the log) into slices of the blocks they lie in, cut
// to the run's limits at entry boundaries, without what the run's filter leaves out.
//
// Contract: reads through the log and never waits. Whole blocks come out as the very buffers that
// were received; a part of a block is a slice of it; only matches with gaps between them are
// copied. A call looks through at most scan_blocks of a filtered run. Reuses its memory between
// calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/log.hpp"
#include "devices/loop/entry_sieve.hpp"
#include "patterns/block.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// Entries of one block: consecutive ones, or of a filtered run without `dense` those that match.
struct piece {
  std::uint64_t first = 0;
  std::uint32_t count = 0;  ///< entries in the body
  bool whole = false;       ///< the block as its producer packed it: body_sum holds
  std::uint8_t props_mask = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t body_sum = 0;
  buffer_ref body;
};

class block_walker {
 public:
  static constexpr std::uint32_t scan_blocks = 64;
  static constexpr std::uint64_t scan_bytes = 4ull << 20;

  /// False while the log is still loading what the run begins with. Else pieces() and outcome()
  /// tell what can be had: at least one message, or a missing range. `dense`: the entries of a
  /// piece keep their sequences (see entry_sieve).
  bool resolve(log& from, const run& what, bool dense = true);
  std::span<const piece> pieces() const noexcept { return pieces_; }
  const cut& outcome() const noexcept { return cut_; }
  /// Blocks the last call looked into.
  std::uint32_t looked_at() const noexcept { return looked_at_; }
  /// Drops the references to what the last call found.
  void clear() noexcept;

 private:
  /// False when nothing more may be taken.
  bool take(const block& b, const run& what);
  entry_run cut_block(const block& b, const run& what, std::uint32_t skip) const;
  bool sift(const block& b, const run& what, bool dense);
  entry_sieve::limits left_for(const block& b, const run& what) const;

  std::vector<block> blocks_;
  std::vector<piece> pieces_;
  entry_sieve sieve_;
  cut cut_;
  std::uint32_t looked_at_ = 0;
};

}  // namespace holdfast
