// parts: what a side-by-side run measures, a function each. Each prints its lines as they come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/contestants/contestant.hpp"
#include "bench/report/row.hpp"

namespace holdfast::bench {

/// How much of everything.
struct plan {
  double seconds = 3;                                        ///< each measurement
  unsigned rounds = 5;                                       ///< each contestant, in turn
  std::vector<std::size_t> sizes{64, 1024, 65536, 1 << 20};  ///< bytes of a message
  std::uint64_t messages_max = ~0u;                          ///< of one measurement
  std::uint64_t backlog = 50'000'000;                        ///< messages
  std::string device;                                        ///< the program
  std::string filter;  ///< contestants whose path or durability holds it; the base always runs
  bool peers = false;  ///< brokers of others too
};

rows measure_throughput(const plan& chosen);
rows measure_fan_out(const plan& chosen);
rows measure_topics(const plan& chosen);
rows measure_requests(const plan& chosen);
rows measure_round_trips(const plan& chosen);
rows measure_latency(const plan& chosen);
rows measure_accepts(const plan& chosen);
rows measure_backlog(const plan& chosen);

}  // namespace holdfast::bench
