#include "bench/processes.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <new>
#include <random>
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

counters* make_counters() {
  void* at =
      mmap(nullptr, sizeof(counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) give_up("mmap of shared counters failed");
  return new (at) counters;
}

child::child(const std::function<void()>& body) : pid_(fork_child()) {
  if (pid_ != 0) return;
  body();
  _exit(0);
}

child::child(const std::vector<std::string>& command, const std::string& ready) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) give_up("pipe failed");
  pid_ = fork_child();
  if (pid_ == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(pipe_ends[1]);
  const bool came = wait_line(pipe_ends[0], ready);
  close(pipe_ends[0]);
  if (!came) give_up(command[0] + " did not say '" + ready + "'");
}

child::child(child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

child::~child() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

double child::cpu_seconds() const {
  clockid_t clock{};
  return clock_getcpuclockid(pid_, &clock) == 0 ? seconds_of(clock) : 0;
}

double now_seconds() {
  return seconds_of(CLOCK_MONOTONIC);
}

void yield_shortly() {
  const timespec pause{0, 20'000};
  nanosleep(&pause, nullptr);
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

scratch_directory::scratch_directory() {
  std::string name = std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) give_up("no temporary directory");
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string free_endpoint() {
  std::random_device source;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(12000 + source() % 20000);  // below ephemeral ones
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    if (free) return "tcp://127.0.0.1:" + std::to_string(port);
  }
  give_up("no free port");
}

std::string device_program(const char* argv0) {
  if (const char* named = std::getenv("HOLDFAST_BIN")) return named;
  const auto beside = std::filesystem::absolute(argv0).parent_path().parent_path() / "holdfast";
  if (!std::filesystem::exists(beside))
    give_up("no " + beside.string() + "; name the device's program in HOLDFAST_BIN");
  return beside;
}

}  // namespace holdfast::bench
