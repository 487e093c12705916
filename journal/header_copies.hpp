// header_copies: sees to it that each segment's header gets its second copy once the first one is
// durable: of the two, one is whole at any moment, that of the former use of the file or that of
// now (docs/adr/0007).
//
// Contract: one thread, no I/O: operations go to the end of the `ops` given. What becomes of them
// is told to done(), or to on_failure() of the writer.
#pragma once

#include <deque>
#include <vector>

#include "journal/core.hpp"

namespace holdfast {

class ops_in_flight;

class header_copies {
 public:
  header_copies(core& shared, ops_in_flight& in_flight) : core_(shared), in_flight_(in_flight) {}

  /// The first copy of its header is durable, or will be with its first records.
  void add(const segment& of) { half_.push_back(of.base()); }
  /// Asks for the second copies of segments that begin below what is synced.
  void complete(std::uint64_t synced, std::vector<io_op>& ops);
  /// The second copy of the segment with this base is durable.
  void done(std::uint64_t base);
  /// One was written into the active segment since it was synced the last time.
  bool unsynced() const noexcept { return unsynced_; }
  void note_sync() noexcept { unsynced_ = false; }
  /// The log ends in `last`, and what was asked for may never have been made: asks again.
  void restart(const segment& last);

 private:
  void ask(segment& of, std::vector<io_op>& ops);

  core& core_;
  ops_in_flight& in_flight_;
  std::deque<std::uint64_t> half_;  // bases of segments with one copy of their header, rising
  bool unsynced_ = false;
};

}  // namespace holdfast
