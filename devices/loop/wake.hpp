// wake: an eventfd: any thread, or a signal handler, wakes the loop.
#pragma once

#include <cstdint>

namespace holdfast {

class wake {
 public:
  wake() noexcept;
  ~wake();
  wake(const wake&) = delete;
  wake& operator=(const wake&) = delete;

  int fd() const noexcept { return fd_; }
  /// Async-signal-safe.
  void signal() noexcept;
  /// Makes fd() unreadable again.
  void clear() noexcept;

 private:
  int fd_;
};

}  // namespace holdfast
