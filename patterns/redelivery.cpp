#include "patterns/redelivery.hpp"

#include <algorithm>

namespace holdfast {

std::uint64_t redelivery_delay(const redelivery_options& options, std::uint32_t failed,
                               random_source& jitter) noexcept {
  std::uint64_t delay = std::min(options.min_ns, options.max_ns);
  for (std::uint32_t i = 1; i < failed && delay < options.max_ns; ++i)
    delay = delay > options.max_ns / 2 ? options.max_ns : delay * 2;
  const double factor = 0.8 + 0.4 * jitter.unit();
  return static_cast<std::uint64_t>(static_cast<double>(delay) * factor);
}

}  // namespace holdfast
