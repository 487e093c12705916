// work: what a line has to do, the same for every contestant of a comparison.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace holdfast::bench {

struct work {
  std::size_t bytes = 64;            ///< of a message, at least 16
  double seconds = 1;                ///< the producer sends so long,
  std::uint64_t messages_max = ~0u;  ///< or so many
  unsigned consumers = 1;            ///< each receives every message, where there are several
  unsigned topics = 1;               ///< a message each in turn, where there are topics
  double per_second = 0;             ///< fixed rate, each message timed; 0: as fast as it goes
  std::uint64_t run = 0;             ///< tells runs through one line apart
  bool lock_step = false;            ///< one message at a time, timed until its accept or reply
};

/// Messages of a size that fit in so many bytes, between a least and a most number.
constexpr std::uint64_t messages_in(std::uint64_t bytes, std::size_t each, std::uint64_t least,
                                    std::uint64_t most) {
  return std::clamp<std::uint64_t>(bytes / each, least, most);
}

/// Messages that may be under way: enough to keep everybody busy, little enough to stay a flow.
constexpr std::uint64_t ahead_of(std::size_t bytes) {
  return messages_in(32 << 20, bytes, 8, 262'144);
}

/// Messages that may wait for their accept, for all contestants that have one and do not say
/// otherwise: what a producer of Holdfast has by default.
constexpr std::uint64_t window_of(std::size_t bytes) {
  return messages_in(16 << 20, bytes, 16, 65'536);
}

/// High-water mark of plain sockets: libzmq's own, with less of what is large.
constexpr int high_water_of(std::size_t bytes) {
  return static_cast<int>(messages_in(64 << 20, bytes, 16, 1000));
}

}  // namespace holdfast::bench
