// surroundings: what a benchmark takes from the machine: a directory, ports, the device's program.
#pragma once

#include <cstdint>
#include <string>

#include "bench/processes.hpp"

namespace holdfast::bench {

/// A directory under `parent`, or the system's temporary one, removed with all it holds at the end
/// of its scope.
class scratch_directory {
 public:
  explicit scratch_directory(const std::string& parent = "");
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A loopback port that nobody uses now, and the TCP endpoint on one.
std::uint16_t free_port();
std::string free_endpoint();
/// Waits until somebody listens there; gives up when `server` ends, or after a minute.
void wait_listening(std::uint16_t port, child& server);

/// Where the device's program is: HOLDFAST_BIN, or beside the build's own.
std::string device_program(const char* argv0);

}  // namespace holdfast::bench
