// redelivery: how long a message that failed waits before it is tried again.
//
// Contract: pure; the jitter comes from the source passed in. The nth failure waits min * 2^(n-1),
// at most max, plus or minus 20 %.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace holdfast {

struct redelivery_options {
  std::uint64_t min_ns = second_ns;
  std::uint64_t max_ns = 60 * second_ns;
  std::uint32_t attempts_max = 16;  ///< failed ones; 0 = unlimited
};

/// Delay after the `failed`-th failure, failed >= 1.
std::uint64_t redelivery_delay(const redelivery_options& options, std::uint32_t failed,
                               random_source& jitter) noexcept;

/// True when a message that failed so often is given up.
inline bool given_up(const redelivery_options& options, std::uint32_t failed) noexcept {
  return options.attempts_max != 0 && failed >= options.attempts_max;
}

}  // namespace holdfast
