// fd: an owned file descriptor, and errno as text.
#pragma once

#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace holdfast {

class fd {
 public:
  fd() noexcept = default;
  explicit fd(int number) noexcept : number_(number) {}
  fd(fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  fd& operator=(fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~fd() { close(); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

inline std::string errno_text(int error) {
  char text[128];
  return strerror_r(error, text, sizeof text);
}

}  // namespace holdfast
