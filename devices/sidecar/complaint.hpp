// complaint: says a thing that may happen for every message: the first time at once, then at most
// once a minute with how often it happened.
//
// Contract: one thread; writes to the log.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "devices/logging.hpp"

namespace holdfast {

class complaint {
 public:
  void say(const std::string& text, std::uint64_t now_ns) {
    ++count_;
    if (said_ns_ != 0 && now_ns - said_ns_ < 60 * second_ns) return;
    said_ns_ = now_ns;
    log_warning("sidecar: " + text +
                (count_ > 1 ? " (" + std::to_string(count_) + " so far)" : std::string()));
  }

 private:
  std::uint64_t count_ = 0, said_ns_ = 0;
};

}  // namespace holdfast
