// The only source of randomness: seeded, small, the same on every machine (SplitMix64).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace holdfast {

class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound); bound > 0. The bias is below 2^-32 for the bounds used here.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  bool chance(std::uint32_t percent) noexcept { return below(100) < percent; }
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  std::array<std::byte, 16> bytes16() noexcept;

 private:
  std::uint64_t state_;
};

/// A seed from the operating system.
std::uint64_t system_seed() noexcept;

}  // namespace holdfast
