// fault: what can go wrong in a run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace holdfast::sim {

enum class fault : std::uint8_t {
  cut,
  stall,
  partition_to_device,
  partition_from_device,
  device_killed,
  device_power,
  device_stopped,
  disk_slow,
  disk_full,
  sync_fails,
  write_fails,
  bit_rots,
  sender_killed,
  sender_replaced,
  sender_stopped,
  receiver_killed,
  receiver_stopped,
  clock_forward,
  clock_back,
};
inline constexpr std::size_t fault_kinds = 19;
const char* name(fault f) noexcept;

/// How often each happened, by its number.
using fault_counts = std::array<std::uint64_t, fault_kinds>;

}  // namespace holdfast::sim
