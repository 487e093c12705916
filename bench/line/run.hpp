// run: one measurement of one contestant: its processes, from the first greeting to the last ack.
#pragma once

#include <string>

#include "bench/line/ends.hpp"
#include "bench/line/work.hpp"

namespace holdfast::bench {

/// What was seen. CPU time is that of all threads, per message; of one consumer, where there are
/// several.
struct sample {
  std::string failure;  ///< why there is no measurement; empty: there is one
  std::uint64_t messages = 0;
  double per_second = 0;  ///< from the first send to the last accept, receipt and ack
  double producer_us = 0, broker_us = 0, consumer_us = 0;
  double broker_peak_bytes = 0;
  double p50_us = 0, p99_us = 0, p999_us = 0;  ///< of times, where the work asks for them
};

/// Never throws: what goes wrong is the sample's failure.
sample run_line(const opener& open, const work& asked);

}  // namespace holdfast::bench
