// row: what is reported of one contestant at one size: medians over the rounds, and the range of
// the ratio to the one that all are compared with, taken in each round for itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/line/run.hpp"

namespace holdfast::bench {

struct spread {
  double median = 0, least = 0, most = 0;
};
/// Of no values: zeros.
spread spread_of(std::vector<double> values);

/// What a ratio compares.
enum class measured {
  rate,  ///< messages a second: more is better
  time   ///< the median time of a message: less is better
};

struct row {
  std::string part, path, durability, settings;
  std::string base;  ///< the path that ratio refers to
  measured by = measured::rate;
  std::size_t bytes = 0;         ///< of a message
  unsigned rounds = 0;           ///< that were measured
  spread messages_per_s, ratio;  ///< ratio: of rates or of medians of time, see `by`
  double producer_us = 0, broker_us = 0, consumer_us = 0;  ///< CPU time per message
  double broker_peak_bytes = 0;                            ///< the most of all rounds
  double p50_us = 0, p99_us = 0, p999_us = 0;
  std::vector<std::string> failures;  ///< of rounds that were not measured
};
using rows = std::vector<row>;

/// A round of one contestant, and of the one it is compared with.
struct paired_sample {
  sample own, base;
};
/// Fills in the figures of a row that has its words.
void judge(row& of, const std::vector<paired_sample>& rounds);

}  // namespace holdfast::bench
