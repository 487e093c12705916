// stop_signals: SIGINT and SIGTERM as something to poll for.
//
// Contract: make it before other threads are started: it blocks the two signals in the calling
// thread, and threads inherit that. One thread reads it.
#pragma once

namespace holdfast::cli {

class stop_signals {
 public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  int fd() const noexcept { return fd_; }
  /// True if one came since the last call; does not wait.
  bool take() noexcept;

 private:
  int fd_;
};

}  // namespace holdfast::cli
