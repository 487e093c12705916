// comparison: contestants that do the same work in turn, A B A B, so that what the machine does
// beside it hits all alike.
#pragma once

#include "bench/parts/parts.hpp"

namespace holdfast::bench {

struct comparison {
  std::string part;
  measured by = measured::rate;
  contestants all;  ///< the one whose path is proxy_path is the base
};

/// Every contestant at every size; prints a line as soon as its rounds are done.
rows compare(const comparison& what, const plan& chosen, work asked);

}  // namespace holdfast::bench
