// progress: how far a long command is, on a terminal: share, rate, time left.
//
// Contract: writes to standard error if that is a terminal, else nothing at all. One line that is
// written again, at most five times a second; end() wipes it. The clock is passed in. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"

namespace holdfast::cli {

class progress {
 public:
  using clock = std::function<instant()>;
  using writer = std::function<void(const std::string&)>;
  static constexpr std::uint64_t every_ns = second_ns / 5;

  /// Silence where standard error is no terminal.
  static writer to_terminal();
  /// On the terminal.
  progress(std::string what, std::uint64_t total_bytes);
  /// To anything; an empty writer is silence.
  progress(std::string what, std::uint64_t total_bytes, clock now, writer write);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { end(); }

  void at(std::uint64_t done_bytes);
  void end();

 private:
  std::string what_;
  std::uint64_t total_;
  clock now_;
  writer write_;
  std::uint64_t begun_ns_ = 0;
  std::uint64_t next_ns_ = 0;
  bool shown_ = false;
};

/// "verify: 42 %, 1.2 GiB of 2.9 GiB, 510.0 MiB/s, 3 s left"
std::string progress_text(const std::string& what, std::uint64_t done, std::uint64_t total,
                          std::uint64_t elapsed_ns);

}  // namespace holdfast::cli
