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
  return {read(CLOCK_MONOTONIC), read(CLOCK_REALTIME)};
}

}  // namespace holdfast
