// plain_tracking: what is known of an unmodified receiver, and so what can be promised to it
// (docs/guarantees.md).
#pragma once

#include <cstdint>

namespace holdfast {

/// How a raw ZeroMQ receiver is tracked (docs/guarantees.md).
enum class plain_tracking : std::uint8_t {
  separate,  ///< one socket per peer: the last hand-offs stay in doubt and come back when the peer
             ///< goes
  shared,    ///< one socket for all: hand-off is the ack
  ack_back,  ///< each message carries its delivery id as a last part; the consumer sends it back
  all_wait,  ///< shared among subscribers: the slowest holds up all
  lossy,     ///< shared among subscribers: who is too slow misses messages, uncounted
};

}  // namespace holdfast
