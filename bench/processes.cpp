#include "bench/processes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace holdfast::bench {
namespace {

double seconds_of(clockid_t clock) {
  timespec at{};
  if (clock_gettime(clock, &at) != 0) return 0;
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

pid_t fork_child() {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) give_up(std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
  }
  return pid;
}

[[noreturn]] void execute(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

// Adds the children of each thread of `pid`, and theirs.
void add_below(pid_t pid, std::vector<pid_t>& all) {
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream in(task.path() / "children");
    for (pid_t below = 0; in >> below;) {
      all.push_back(below);
      add_below(below, all);
    }
  }
}

double peak_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; in >> word;)
    if (double kib = 0; word == "VmHWM:" && in >> kib) return kib * 1024;
  return 0;
}

// Reads lines until one begins with `ready`.
bool wait_line(int from, const std::string& ready) {
  std::string line;
  char c = 0;
  while (read(from, &c, 1) == 1) {
    if (c != '\n') {
      line += c;
    } else if (line.starts_with(ready)) {
      return true;
    } else {
      line.clear();
    }
  }
  return false;
}

}  // namespace

void* map_shared(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) give_up("mmap of shared memory failed");
  return at;
}

void unmap_shared(void* at, std::size_t bytes) noexcept {
  munmap(at, bytes);
}

child::child(const std::function<void()>& body) : pid_(fork_child()) {
  if (pid_ != 0) return;
  _exit(run_main([&] {
    body();
    return 0;
  }));
}

child::child(const std::vector<std::string>& command, const std::string& ready) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) give_up("pipe failed");
  pid_ = fork_child();
  if (pid_ == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    execute(command);
  }
  close(pipe_ends[1]);
  const bool came = wait_line(pipe_ends[0], ready);
  close(pipe_ends[0]);
  if (!came) give_up(command[0] + " did not say '" + ready + "'");
}

child::child(const std::vector<std::string>& command, const log_file& log)
    : pid_(fork_child()), patience_(20) {
  if (pid_ != 0) return;
  const int out = open(log.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execute(command);
}

child::child(child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), patience_(other.patience_) {}

child::~child() {
  if (patience_ > 0) end(patience_);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::vector<pid_t> child::tree() const {
  std::vector<pid_t> all{pid_};
  add_below(pid_, all);
  return all;
}

double child::cpu_seconds() const {
  double sum = 0;
  for (const pid_t one : tree())
    if (clockid_t clock{}; clock_getcpuclockid(one, &clock) == 0) sum += seconds_of(clock);
  return sum;
}

void child::reset_peak() const {
  for (const pid_t one : tree())
    std::ofstream("/proc/" + std::to_string(one) + "/clear_refs") << "5";
}

double child::peak_bytes() const {
  double sum = 0;
  for (const pid_t one : tree()) sum += peak_of(one);
  return sum;
}

bool child::alive() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

bool child::wait() {
  int how = -1;
  waitpid(std::exchange(pid_, -1), &how, 0);
  return how == 0;
}

void child::end(double patience_seconds) {
  if (pid_ > 0) kill(pid_, SIGTERM);
  const double patience_ends = now_seconds() + patience_seconds;
  while (alive() && now_seconds() < patience_ends) sleep_until(now_seconds() + 0.005);
}

double now_seconds() {
  return seconds_of(CLOCK_MONOTONIC);
}

void yield_shortly() {
  const timespec pause{0, 20'000};
  nanosleep(&pause, nullptr);
}

void sleep_until(double moment) {
  timespec at{};
  at.tv_sec = static_cast<time_t>(moment);
  at.tv_nsec = static_cast<long>((moment - static_cast<double>(at.tv_sec)) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) continue;
}

void give_up(const std::string& why) {
  throw std::runtime_error(why);
}

int run_main(const std::function<int()>& body) try {
  return body();
} catch (const std::exception& failure) {
  std::fprintf(stderr, "bench: %s\n", failure.what());
  return 1;
}

}  // namespace holdfast::bench
