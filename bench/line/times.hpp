// times: a list of durations in memory that processes may share: one writes, another reads later.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace holdfast::bench {

class times {
 public:
  static constexpr std::size_t count_max = 1 << 18;  // what comes after is not noted

  void note(double seconds);
  /// What so large a share of them does not exceed, in microseconds; 0 where there are none.
  double us_at(double share) const;

 private:
  std::atomic<std::size_t> count_{0};
  std::array<float, count_max> seconds_;
};

}  // namespace holdfast::bench
