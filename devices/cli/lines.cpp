#include "devices/cli/lines.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace holdfast::cli {

bool read_line(std::string& line, status& outcome) {
  if (std::getline(std::cin, line)) return true;
  if (std::cin.bad())
    outcome = {errc::io, "standard input cannot be read; nothing after this point was sent"};
  return false;
}

status line_writer::flush() {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0)
      return {errc::io, std::string("standard output cannot be written: ") + std::strerror(errno) +
                            "; what was not written is not acked"};
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  pending_.clear();
  return {};
}

}  // namespace holdfast::cli
