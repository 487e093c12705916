// Time is passed in. Two readings travel together: `now` never goes back and drives every deadline,
// `real` stamps records. Both in nanoseconds.
#pragma once

#include <cstdint>

namespace holdfast {

struct instant {
  std::uint64_t now_ns = 0;   ///< monotonic
  std::uint64_t real_ns = 0;  ///< since 1970-01-01 UTC; may jump
};

inline constexpr std::uint64_t never_ns = ~std::uint64_t{0};
inline constexpr std::uint64_t ms_ns = 1'000'000;
inline constexpr std::uint64_t second_ns = 1'000'000'000;

/// Reads the machine's clocks. These are the only places in the product that do.
instant system_now() noexcept;
/// instant::now_ns alone, for half the price.
std::uint64_t monotonic_now() noexcept;
/// The same clock as of the kernel's last tick, 1 to 10 ms ago at most: a few ns, where a clock is
/// read for every message.
std::uint64_t monotonic_tick() noexcept;

}  // namespace holdfast
