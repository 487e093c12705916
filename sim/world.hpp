// world: one run of the simulation: builds what the plan says, lets it live with its faults, stops
// the faults, and waits for all of it to come to an end.
//
// Contract: simulate() is a function of the plan: the same plan gives the same outcome, its hashes
// included. One thread; no clock, no randomness but the seed's.
#pragma once

#include <string>

#include "sim/fault.hpp"
#include "sim/judge.hpp"

namespace holdfast::sim {

struct plan;

struct outcome {
  bool ok = false;
  std::string by;     ///< the checker that saw the first violation
  std::string why;    ///< what it saw
  std::string story;  ///< of the message it is about
  std::uint64_t hash = 0;
  std::uint64_t steps = 0, virtual_ns = 0;
  judge::totals counts;
  std::uint64_t crashes = 0, cuts = 0, faults = 0;
  fault_counts faults_of{};
  /// With `trace`: of all inputs and outputs so far, after every step; every thousandth with the
  /// device's whole state and disk.
  std::vector<std::uint64_t> trace;
};

outcome simulate(const plan& p, bool trace = false);

}  // namespace holdfast::sim
