// journal_info: what a journal's directory holds, in use by a device or not: its checkpoints, its
// segments, and files that are neither. For tools.
//
// Contract: blocking; takes no lock, never writes. The answer is of the moment: a checkpoint or a
// segment may be gone right after. Memory: one checkpoint, and a row for each file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/checkpoint_file.hpp"
#include "journal/segment_list.hpp"

namespace holdfast {

struct checkpoint_info {
  std::string name;
  bool readable = false;
  std::string problem;
  std::uint64_t number = 0;
  std::uint64_t position = 0;
  std::uint64_t epoch = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t row_bytes = 0;  ///< of the patterns
};
struct journal_info {
  bytes16_id id{};
  std::uint64_t epoch = 0;
  std::vector<segment_info> segments;  ///< by base position
  std::vector<checkpoint_info> checkpoints;
  std::vector<std::string> unreadable;  ///< files in seg/ without a readable header that hold data
  std::vector<std::string> spares;      ///< files that hold nothing of the log
  std::vector<std::string> unused;      ///< files that were begun and never taken into the log
  /// The readable checkpoint with the highest number; null if there is none.
  const checkpoint_info* newest_checkpoint() const noexcept;
};

/// errc::not_found if there is no journal in `directory`.
result<journal_info> look_at_journal(const std::string& directory);

/// errc::not_found if there is no such file, errc::corrupt if it is not what was written.
result<checkpoint_content> load_checkpoint(const std::string& directory, const std::string& name);

}  // namespace holdfast
