// plan: everything a run is made of, drawn from its seed: who takes part, how things are set, and
// which faults happen when (each seed has its own mixture: some faults only show in the absence of
// others).
//
// Contract: pure; the same seed gives the same plan on every machine. What is taken out of a plan
// changes no other choice in it, so that a failing one can be made smaller.
#pragma once

#include <array>
#include <vector>

#include "sim/consumer.hpp"
#include "sim/device.hpp"
#include "sim/fault.hpp"
#include "sim/guests.hpp"
#include "sim/producer.hpp"
#include "sim/requests.hpp"
#include "sim/subscriber.hpp"

namespace holdfast::sim {

struct planned_fault {
  std::uint64_t at_ns = 0;
  fault what{};
  std::uint64_t salt = 0;  ///< whom it meets, and how hard
};

struct plan {
  std::uint64_t seed = 1;
  device_settings device;
  network_options network;
  terms rules;
  std::vector<producer_plan> producers;  ///< publishers too
  std::vector<worker_plan> workers;
  std::vector<std::uint32_t> plain_consumers;
  std::vector<subscriber_plan> subscribers;
  std::vector<requester_plan> requesters;
  std::vector<replier_plan> repliers;
  std::vector<planned_fault> faults;
  bool power_fails = false;  ///< then a crash in recovery may be one of power
  std::uint64_t faults_for_ns = 6 * second_ns;
  std::uint64_t settle_for_ns = 60 * second_ns;  ///< faults over: all must be done within this
  invitation invite;                             ///< who takes part beside these; may be empty
};

/// Of seeds from 2^40 on those with that bit have endpoints that are told of their connections'
/// end.
inline constexpr std::uint64_t told_seeds = 1ull << 40;
plan draw_plan(std::uint64_t seed);

connection draw_link(random_source& r, channel_kind channel);

}  // namespace holdfast::sim
