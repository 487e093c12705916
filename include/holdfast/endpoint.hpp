// endpoint: what all reliable endpoints have in common: producer and worker (pipeline.hpp),
// publisher and subscriber (pubsub.hpp), requester and replier (reqrep.hpp).
//
// Threads: every call may be made from any thread; calls on one object take turns on a short lock.
// One library thread per ZeroMQ context drives all sessions of that context; a call that sends a
// lone message, or waits for an answer, writes and reads the connection itself, without waiting for
// it beyond its timeout. An object must outlive the calls on it. Not for use after fork().
//
// Waiting: a call with a timeout returns at the latest then, with errc::timeout. 0 does not wait
// (errc::would_block); `forever` has no limit. To wait for several things at once, poll fd().
//
// Reconnecting: the device may be absent, restart or be killed at any time; endpoints reconnect by
// themselves, and what was not accepted is sent again. Nothing of it shows but waiting.
//
// Versions: programs that compile against one 1.x release compile against every later one. There is
// no promise on the binary interface: build the program with the library it is linked to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "holdfast/status.hpp"

namespace holdfast {

using std::chrono::milliseconds;
inline constexpr milliseconds forever = milliseconds::max();

/// What an accept promises. The channel's own setting is the upper bound.
enum class durability : std::uint8_t {
  process = 1,   ///< written: survives kill -9 of the device
  interval = 2,  ///< written, and synced to the disk at least every stated interval
  disk = 3,      ///< synced to the disk
};

/// What all endpoints have in common.
struct endpoint_options {
  /// The device's reliable endpoint, as libzmq takes it: "tcp://127.0.0.1:5557".
  std::string endpoint;
  /// A libzmq context (void*) that outlives the object, or null for the library's own. inproc
  /// endpoints need the device's; TCP and ipc connections are not libzmq's.
  void* context = nullptr;
  /// Signs of life both ways; three missed ones (heartbeat_misses) end the session. 1 ms to 1 h.
  milliseconds heartbeat{1000};
  std::uint32_t heartbeat_misses = 3;
  /// Largest message sent or received, bytes. At most 1 GiB.
  std::uint64_t max_message = 256ull << 20;
};

/// A message the device will never take. The ones around it are not affected.
struct refusal {
  std::uint64_t number = 0;
  errc code{};
  std::string reason;
};

}  // namespace holdfast
