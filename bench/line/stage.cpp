#include "bench/line/stage.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::bench {

void stage::fail(const char* why) {
  std::strncpy(reason.data(), why, reason.size() - 1);
  failed.store(true);
}

std::uint64_t slowest(std::span<const flow> flows) {
  std::uint64_t least = ~0ull;
  for (const flow& one : flows)
    least = std::min(least, one.received.load(std::memory_order_relaxed));
  return least;
}

}  // namespace holdfast::bench
