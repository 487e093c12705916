// processes: what the benchmarks run in: children of their own, counters they share, CPU time of
// each.
//
// Contract: POSIX. Fork before the first ZeroMQ context of the parent lives. Children die with the
// parent. A failure prints its reason and ends the program with status 1: a benchmark has no caller
// to report to.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::bench {

/// Counters in memory shared by all children of one measurement.
struct counters {
  std::atomic<std::uint64_t> sent{0}, received{0};
  std::atomic<bool> stop{false};
};
/// A zeroed set in a shared mapping; lives until the program ends.
counters* make_counters();

/// A child process; killed and waited for when it goes out of scope.
class child {
 public:
  /// Runs `body` in a fork.
  explicit child(const std::function<void()>& body);
  /// Runs a program and waits until it has printed a line that begins with `ready`.
  child(const std::vector<std::string>& command, const std::string& ready);
  child(child&& other) noexcept;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  /// CPU time of all its threads so far, seconds.
  double cpu_seconds() const;

 private:
  pid_t pid_ = -1;
};

/// Monotonic seconds.
double now_seconds();
/// Lets others run, 20 us or so: for a sender that is far enough ahead.
void yield_shortly();
/// Ends the program with a reason.
[[noreturn]] void give_up(const std::string& why);
/// A directory under the system's temporary one, removed with all it holds at the end of its scope.
class scratch_directory {
 public:
  scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
/// A TCP endpoint on a loopback port that nobody uses now.
std::string free_endpoint();
/// Where the device's program is: HOLDFAST_BIN, or beside the build's own.
std::string device_program(const char* argv0);

}  // namespace holdfast::bench
