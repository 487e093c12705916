// channel_settings: what every channel has, whatever its pattern: its name, how durable it is, and
// the limits of its sessions and messages. Each pattern's options add their own.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/record.hpp"
#include "patterns/planted.hpp"

namespace holdfast {

struct channel_settings {
  std::string name;
  level durability = level::disk;
  std::uint32_t interval_ms = 50;            ///< level interval: synced at least so often
  std::uint64_t max_message = 256ull << 20;  ///< bytes
  std::uint32_t window_messages = 65'536;    ///< unaccepted, per producer session
  std::uint64_t window_bytes = 16ull << 20;
  std::uint64_t window_bytes_all = 48ull << 20;  ///< this channel's part of the device's 64 MiB
  std::uint32_t heartbeat_ms = 1000;
  std::uint32_t heartbeat_misses = 3;
  std::uint32_t addresses_max = 100'000;
  std::uint32_t sessions_max = 10'000;
  std::uint32_t producers_max = 100'000;             ///< rows producer x stream
  std::uint64_t forget_after_ns = 3600 * second_ns;  ///< unnamed producers, after loss
  planted_bugs planted;                              ///< never set in use
};

}  // namespace holdfast
