// processes: what the benchmarks run in: children of their own, counters they share, CPU time of
// each.
//
// Contract: Linux. Fork before the first ZeroMQ context of the parent lives. Children die with the
// parent. A failure is an exception that carries its reason; in a fork it is printed and ends it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace holdfast::bench {

/// Zeroed memory that forks share, made into a T without being written; T must be happy with zeros.
/// Pages cost nothing until they are used.
void* map_shared(std::size_t bytes);
void unmap_shared(void* at, std::size_t bytes) noexcept;
template <class T>
struct shared_deleter {
  void operator()(T* at) const noexcept { unmap_shared(at, sizeof(T)); }
};
template <class T>
using shared_memory = std::unique_ptr<T, shared_deleter<T>>;
template <class T>
shared_memory<T> make_shared_memory() {
  return shared_memory<T>(new (map_shared(sizeof(T))) T);
}

/// Names the file that takes the output of a child.
struct log_file {
  std::string path;
};

/// A child process; when it goes out of scope it is killed and waited for, and asked to end before
/// where it is a server of somebody else's.
class child {
 public:
  /// Runs `body` in a fork.
  explicit child(const std::function<void()>& body);
  /// Runs a program and waits until it has printed a line that begins with `ready`.
  child(const std::vector<std::string>& command, const std::string& ready);
  /// Runs a program that says nothing when it is ready; what it prints goes to the file `log`.
  child(const std::vector<std::string>& command, const log_file& log);
  child(child&& other) noexcept;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  /// CPU time so far of it and of the processes below it, all threads, seconds.
  double cpu_seconds() const;
  /// From here on peak_bytes() is the most memory it (and those below it) had in RAM.
  void reset_peak() const;
  double peak_bytes() const;
  /// False once it has ended by itself.
  bool alive();
  /// Waits until it ends; true if it did well.
  bool wait();
  /// Asks it to end (SIGTERM), and kills it after `patience`.
  void end(double patience_seconds);

 private:
  std::vector<pid_t> tree() const;
  pid_t pid_ = -1;
  double patience_ = 0;
};

/// Monotonic seconds.
double now_seconds();
/// Lets others run, 20 us or so: for a sender that is far enough ahead.
void yield_shortly();
/// Sleeps until that moment of now_seconds(); returns at once where it has passed.
void sleep_until(double moment);
/// Throws: the measurement cannot go on, and why.
[[noreturn]] void give_up(const std::string& why);
/// The main() of a benchmark: what is given up is told, and is status 1.
int run_main(const std::function<int()>& body);

}  // namespace holdfast::bench
