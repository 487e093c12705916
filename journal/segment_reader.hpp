// segment_reader: single records of a segment, verified: what is at a position, and where after
// damage the next record is.
//
// Contract: one thread. Never touches bytes that were not loaded (loaded_windows); who is told that
// something is pending asks again in every turn.
#pragma once

#include "journal/loaded_windows.hpp"

namespace holdfast {

class segment_reader {
 public:
  explicit segment_reader(loaded_windows& windows) : windows_(windows) {}

  enum class seen : std::uint8_t { good, pending, corrupt_body, corrupt_header, unreadable };
  struct look {
    seen what = seen::pending;
    record_header header;
    buffer_ref record;  // header and body
  };
  /// What is at `position`. Bodies are read and verified only for blocks of `wanted` that end
  /// behind `from`.
  look look_at(const segment& in, std::uint64_t position, stream_id wanted, std::uint64_t from = 0);

  struct resynced {
    std::uint64_t position = 0;
    bool pending = false;  ///< there is none up to `position`: go on there
  };
  /// Next place at or behind `position` where a record header is right; the end if there is none.
  resynced resync(const segment& in, std::uint64_t position);

  std::uint64_t end(const segment& in) const noexcept { return windows_.readable_end(in); }

 private:
  loaded_windows& windows_;
};

}  // namespace holdfast
