// backup: copies a journal, in use or not, into a directory that is a journal itself, and copies
// such a directory back. Consistent to one position: every record of the log below it is there,
// none above; what the copied checkpoint says and replay to that position is the device's state.
//
// Contract: blocking, tools only. The source is only read, by pread, without a lock; each record is
// checked as it is copied. A segment that is freed meanwhile is not needed if the records that
// freed it are below the position, which is chosen so; one that holds later records makes the copy
// start over with a newer checkpoint (what was copied is kept), a limited number of times. The
// target has its name only once all of it is durable; until then it is TARGET.unfinished, in which
// no journal can be found. A failure removes that; a kill leaves it to the next try.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "journal/backup_note.hpp"

namespace holdfast {

struct backup_options {
  std::function<instant()> clock = system_now;
  unsigned tries_max = 20;
  /// Longest wait for a live device to sync what was there when all else was copied.
  std::uint64_t sync_wait_ns = 10 * second_ns;
  /// Called before a segment is looked at, for tests: the journal may move there.
  std::function<void(const segment_header&)> before_segment = {};
};

struct backup_outcome {
  backup_note note;
  bool live = false;                 ///< a device had it open
  unsigned tries = 0;                ///< it took
  std::uint64_t beyond = 0;          ///< readable bytes above the position, not included
  std::vector<std::string> remarks;  ///< sentences: what was found wrong in the source
};

/// Copies the journal in `source` to `target`, which must not exist or be empty.
result<backup_outcome> backup_journal(const std::string& source, const std::string& target,
                                      const backup_options& options = {});

/// Copies the backup in `source` to `target`, a directory for a device, which must not exist or be
/// empty. errc::corrupt if anything of the backup is missing or changed: then nothing is left.
result<backup_outcome> restore_journal(const std::string& source, const std::string& target,
                                       const backup_options& options = {});

}  // namespace holdfast
