// world: one run of the simulation: builds what the plan says, lets it live with its faults, stops
// the faults, and waits for all of it to come to an end.
//
// Contract: simulate() is a function of the plan: the same plan gives the same outcome, its hash
// included. One thread; no clock, no randomness but the seed's.
#pragma once

#include <string>

#include "sim/plan.hpp"

namespace holdfast::sim {

struct outcome {
  bool ok = false;
  std::string why;    ///< the first violation
  std::string story;  ///< of the message it is about
  std::uint64_t hash = 0;
  std::uint64_t steps = 0, virtual_ns = 0;
  std::uint64_t sent = 0, accepted = 0, delivered = 0, duplicates = 0, crashes = 0, cuts = 0;
};

outcome simulate(const plan& p);

}  // namespace holdfast::sim
