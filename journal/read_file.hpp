// read_file: a file opened for reading by offset, for those who look at a journal without opening
// it.
//
// Contract: blocking; read() is all or nothing. A file that is not there is not an error: it may
// have been trimmed a moment ago.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace holdfast {

class read_file {
 public:
  read_file() noexcept = default;
  explicit read_file(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  read_file(read_file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  read_file& operator=(read_file&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~read_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  /// Also of a file whose name is gone by now.
  std::uint64_t size() const noexcept {
    struct stat found {};
    return ::fstat(fd_, &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
  }
  bool read(std::uint64_t at, std::span<std::byte> into) const {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      done += static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int fd_ = -1;
};

}  // namespace holdfast
