// lines: standard input and output as lines, with failures told.
//
// Contract: one thread. A line that was written counts only after flush() succeeded: an ack may
// follow then.
#pragma once

#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast::cli {

/// The next line of standard input without its break; a last line without one counts as well.
/// False at the end of input, or when reading failed (then `outcome` says so).
bool read_line(std::string& line, status& outcome);

class line_writer {
 public:
  /// Where to write the next line; bytes wait here until flush().
  std::string& pending() noexcept { return pending_; }
  bool full() const noexcept { return pending_.size() >= pending_bytes_max; }
  status flush();

 private:
  static constexpr std::size_t pending_bytes_max = 64 * 1024;
  std::string pending_;
};

}  // namespace holdfast::cli
