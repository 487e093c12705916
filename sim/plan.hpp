// plan: everything a run is made of, drawn from its seed: who takes part, how things are set, and
// which faults may happen how often (each seed has its own mixture: some kinds of fault only show
// in the absence of others).
//
// Contract: pure; the same seed gives the same plan on every machine.
#pragma once

#include <array>
#include <vector>

#include "sim/consumer.hpp"
#include "sim/device.hpp"
#include "sim/producer.hpp"

namespace holdfast::sim {

enum class fault : std::uint8_t {
  cut,
  stall,
  device_killed,
  device_power,
  device_stopped,
  disk_slow,
  disk_full,
  sync_fails,
  write_fails,
  producer_killed,
  producer_replaced,
  producer_stopped,
  worker_killed,
  worker_stopped,
  plain_killed,
  clock_jumps,
};
inline constexpr std::size_t fault_kinds = 16;

/// What is broken on purpose, to see that the checker sees it.
enum class planted : std::uint8_t {
  nothing,
  sessions_mixed,  ///< the device checks neither session nor epoch of a producer
  accept_lost,     ///< no accept ever reaches a producer
  accept_early,    ///< accepts (and deliveries) leave before anything is durable
  sync_lies,       ///< the disk says it is synced and is not
};

struct plan {
  std::uint64_t seed = 1;
  planted bug = planted::nothing;
  device_settings device;
  network_options network;
  checker_options checker;
  std::vector<producer_plan> producers;
  std::vector<worker_plan> workers;
  std::uint32_t plain_consumers = 0;
  std::array<std::uint32_t, fault_kinds> weights{};  ///< how often, relative to each other
  std::uint64_t fault_every_ns = 200 * ms_ns;        ///< on average
  std::uint64_t faults_for_ns = 6 * second_ns;
  std::uint64_t settle_for_ns = 60 * second_ns;  ///< faults over: all must be done within this
};

plan draw_plan(std::uint64_t seed, planted bug = planted::nothing);

}  // namespace holdfast::sim
