// pipeline_options: what a push/pull channel is set to. Every limit has its unit in its name; the
// meaning of each is in docs/configuration.md.
#pragma once

#include <cstdint>
#include <string>

#include "patterns/channel_settings.hpp"
#include "patterns/queue/queue_limits.hpp"

namespace holdfast {

struct pipeline_options : channel_settings {
  pipeline_options() { name = "pipeline"; }
  std::string default_queue = "default";
  std::uint64_t lease_ns = 30 * second_ns;
  std::uint32_t attempts_max = 16;           ///< failed ones; 0 = unlimited
  std::uint64_t backoff_min_ns = second_ns;  ///< doubles, +-20 % jitter
  std::uint64_t backoff_max_ns = 60 * second_ns;
  retention_rules retention;  ///< of its queues; none: kept until acked
};

}  // namespace holdfast
