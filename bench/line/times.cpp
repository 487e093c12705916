#include "bench/line/times.hpp"

#include <algorithm>
#include <vector>

namespace holdfast::bench {

void times::note(double seconds) {
  const std::size_t at = count_.load(std::memory_order_relaxed);
  if (at == count_max) return;
  seconds_[at] = static_cast<float>(seconds);
  count_.store(at + 1, std::memory_order_release);
}

double times::us_at(double share) const {
  const auto end = seconds_.begin() + count_.load();
  std::vector<float> all(seconds_.begin(), end);
  if (all.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
  std::nth_element(all.begin(), all.begin() + at, all.end());
  return static_cast<double>(all[static_cast<std::size_t>(at)]) * 1e6;
}

}  // namespace holdfast::bench
