// repair: puts right what a journal at rest holds twice, and moves out of the way what no device
// can use. It invents nothing: a damaged record stays as it is, and every device passes over it.
//
// What it does: a damaged copy of a segment's header is written again from the good copy, or both
// from the newest checkpoint's list if records of the file prove that it is that segment; a
// checkpoint that cannot be read is removed if there is one that can; a file in seg/ that cannot be
// read and that nothing refers to is removed.
//
// Contract: blocking, tools only. Refuses a journal in use, and while it changes anything it holds
// the journal's lock. Before the first change every file concerned is copied whole, with a report,
// to DIR/quarantine/TIME/, durably. Each change is one write within a sector, or one unlink: after
// a crash at any point the journal reads no worse than before, and doing it again does the rest.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "holdfast/status.hpp"
#include "journal/format.hpp"

namespace holdfast {

struct repair_step {
  enum class kind : std::uint8_t { rewrite, remove };
  kind what = kind::rewrite;
  std::string file;              ///< in the journal's directory
  std::uint64_t offset = 0;      ///< of what is rewritten
  std::vector<std::byte> bytes;  ///< to write there
  std::string why;               ///< a sentence's end: what is wrong, and what it is made good from
};

/// What stays wrong: nothing has what was there.
struct lasting_damage {
  std::string file;  ///< empty: the file is not known
  std::uint64_t offset = 0;
  damage what;
};

struct repair_plan {
  std::vector<repair_step> steps;
  std::vector<lasting_damage> damaged;  ///< stretches of records, as far as they can be seen now
  std::vector<std::string> unsolved;    ///< sentences
  std::uint64_t torn_bytes = 0;         ///< behind the tail; the next opening cuts them
};

struct repair_outcome {
  repair_plan plan;        ///< carried out if `quarantine` is not empty
  std::string quarantine;  ///< where the copies and report.json are
  repair_plan after;       ///< what a second look found then
};

/// Looks and changes nothing. errc::in_use while a device has the journal open.
result<repair_plan> plan_repair(const std::string& directory);

/// The same for who holds the journal's lock.
result<repair_plan> look_for_repairs(const std::string& directory);

/// Plans under the lock and, if there is anything to do, does it.
result<repair_outcome> repair_journal(const std::string& directory, const instant& now);

/// The report that is laid beside the copies: JSON.
std::string repair_report(const repair_plan& plan, const instant& now);

}  // namespace holdfast
