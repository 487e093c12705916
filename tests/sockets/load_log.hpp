// load_log: what the load programs write down of what happened to them. A record is written before
// what it tells has any effect elsewhere, so the log of a program that was killed -9 misses
// nothing.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace load {

enum event : std::uint8_t {
  delivered = 1,      // a message or request came, and every byte is right
  changed = 2,        // ... and is not what was sent
  ack_confirmed = 3,  // its ack is durable, or its reply is
  began = 4,          // the program started
  stale = 5,  // the session was over when it was settled: the ack or reply counts for nothing
  asked = 6,
  answered = 7,  // the reply came, and is the right one
  wrong = 8,     // ... and is not
};

struct record {
  std::uint32_t sender = 0;
  std::uint8_t what = 0, redelivered = 0;
  std::uint16_t attempt = 0;  // of a reply: its status
  std::uint64_t number = 0, time_ns = 0;
};
static_assert(sizeof(record) == 24);

// Of one clock in all programs.
inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// A file that is only appended to: what was written stands there when the program is killed. A
/// kill -9 can cut a write where a page ends; the next life cuts that record, or line, off.
class log_file {
 public:
  static constexpr std::size_t lines = 0;
  /// `each`: bytes of what is written at a time, or `lines`.
  explicit log_file(const std::string& path, std::size_t each = sizeof(record))
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    const off_t size = lseek(fd_, 0, SEEK_END);
    const off_t whole = each == lines ? end_of_lines(size) : size - size % static_cast<off_t>(each);
    if (whole != size && ftruncate(fd_, whole) != 0) std::perror("log");
  }
  void write(const void* data, std::size_t size) {
    if (::write(fd_, data, size) != static_cast<ssize_t>(size)) {
      std::perror("log");
      std::exit(1);
    }
  }
  void write(const std::vector<record>& records) {
    if (!records.empty()) write(records.data(), records.size() * sizeof(record));
  }
  void write(const record& one) { write(&one, sizeof one); }

 private:
  off_t end_of_lines(off_t end) const {
    for (char last = 0; end > 0 && pread(fd_, &last, 1, end - 1) == 1 && last != '\n';) --end;
    return end;
  }
  int fd_;
};

inline void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

[[noreturn]] inline void fail(std::string_view why) {
  std::fprintf(stderr, "load: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

// Something was said on standard input, or it has ended.
inline bool told() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

inline void wait_told() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  ::poll(&input, 1, -1);
}

/// The pace of a load: `rate` messages a second, 0 for as many as go.
class pace {
 public:
  explicit pace(std::uint64_t rate) : rate_(rate) {}
  bool due(std::uint64_t message) const {
    return rate_ == 0 || now_ns() >= begin_ + 1'000'000'000 * message / rate_;
  }

 private:
  std::uint64_t rate_, begin_ = now_ns();
};

}  // namespace load
