#include "devices/loop/wake.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.hpp"

namespace holdfast {

wake::wake() noexcept : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  check(fd_ >= 0, "a process has a descriptor left to wake its loop");
}

wake::~wake() {
  ::close(fd_);
}

void wake::signal() noexcept {
  const std::uint64_t one = 1;
  // A full counter is readable already.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

void wake::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(fd_, &count, sizeof count);
}

}  // namespace holdfast
