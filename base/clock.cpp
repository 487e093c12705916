#include "base/clock.hpp"

#include <ctime>

namespace holdfast {
namespace {

std::uint64_t read(clockid_t which) noexcept {
  timespec at{};
  clock_gettime(which, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * second_ns + static_cast<std::uint64_t>(at.tv_nsec);
}

}  // namespace

instant system_now() noexcept {
  return {monotonic_now(), read(CLOCK_REALTIME)};
}

std::uint64_t monotonic_now() noexcept {
  return read(CLOCK_MONOTONIC);
}

std::uint64_t monotonic_tick() noexcept {
  return read(CLOCK_MONOTONIC_COARSE);
}

}  // namespace holdfast
