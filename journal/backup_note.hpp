// backup_note: the file BACKUP of a backup directory: what the backup holds, so that a restore can
// tell that all of it is there. docs/journal_format.md is the same in words.
//
// Contract: pure functions. Text, a line each, the last one the sum of all before it.
#pragma once

#include <string>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/segment_copy.hpp"

namespace holdfast {

inline constexpr const char* backup_note_name = "BACKUP";

struct backup_note {
  bytes16_id id{};
  std::uint64_t epoch = 0;
  std::uint64_t checkpoint = 0;  ///< number; 0 = none
  std::uint64_t position = 0;    ///< all records of the journal below it are there, none above
  std::uint64_t end = 0;         ///< of the backup's records
  std::uint64_t segments = 0;
  std::uint64_t time_ns = 0;
  record_totals totals;
};

std::string write_backup_note(const backup_note& from);
/// errc::corrupt if it is not what write_backup_note() made; `name` is for the sentence.
result<backup_note> parse_backup_note(const std::string& text, const std::string& name);

}  // namespace holdfast
