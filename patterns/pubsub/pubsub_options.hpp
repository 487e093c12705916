// pubsub_options: what a publish/subscribe channel is set to. Every limit has its unit in its name;
// the meaning of each is in docs/configuration.md.
#pragma once

#include <cstdint>
#include <string>

#include "patterns/channel_settings.hpp"

namespace holdfast {

struct pubsub_options : channel_settings {
  pubsub_options() { name = "pubsub"; }
  std::uint64_t retention_age_ns = 24ull * 3600 * second_ns;  ///< 0 = no limit
  std::uint64_t retention_bytes = 4ull << 30;                 ///< bodies; 0 = no limit
  std::uint64_t retention_records = 0;                        ///< 0 = no limit
  bool retention_until_acked = false;  ///< what every durable subscription has acked goes at once
  std::uint32_t subscriptions_max = 10'000;  ///< durable names
  std::uint32_t prefixes_max = 256;          ///< of one subscription
};

}  // namespace holdfast
