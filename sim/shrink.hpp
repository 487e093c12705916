// shrink: makes a failing plan smaller: fewer faults, fewer applications, fewer messages, as long
// as the same checker sees a violation.
//
// Contract: pure but for `told`, which hears of every step that succeeded.
#pragma once

#include <functional>

#include "sim/plan.hpp"
#include "sim/world.hpp"

namespace holdfast::sim {

struct shrunk {
  plan smallest;
  outcome shows;
  std::uint64_t runs = 0;
};

shrunk shrink(const plan& failing, const std::string& checker,
              const std::function<void(const std::string&)>& told);

/// What goes wrong when: one line each.
std::string describe_faults(const plan& p);
/// Who takes part, and what goes wrong when: one line each.
std::string describe(const plan& p);

}  // namespace holdfast::sim
