// bridge: carries messages between the device beside an application and one far away, on a thread
// of the sidecar's, over the public endpoints.
//
// Contract: open and run on one thread. run() returns when `stop` is readable (ok), or with a
// failure: errc::fenced is final, after any other the bridge may be opened again. Nothing is kept
// in it that matters: everything follows from the two journals.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// What a bridge tells of itself; the sidecar's status shows it.
struct bridge_report {
  std::string state =
      "opening";              ///< "opening", "connecting", "running", "waiting", "idle", "failed"
  std::uint64_t carried = 0;  ///< messages the receiving side accepted from this run
  std::uint64_t through = 0;  ///< up: the last number of the local journal accepted there
  std::uint64_t refused = 0;  ///< messages the receiving side will never take
  std::uint64_t waiting = 0;  ///< messages sent and not accepted; requests without a reply
  std::uint64_t missing = 0;  ///< --pub: messages the far device no longer had
  std::uint64_t silent_since_ns = 0;  ///< 0, or since when nothing that was sent is accepted, or
                                      ///< the oldest request is open
  std::string failure;
};

/// Where both ends are, and what the local device knows.
struct bridge_options {
  void* context = nullptr;  ///< of the local device
  std::string local;        ///< its reliable endpoint
  std::string far;          ///< the far device's
  std::string far_address;  ///< queue or service there; empty: the channel's default
  std::uint64_t deadline_ns = 60 * second_ns;  ///< of a request that says none
  std::string id;                              ///< of the local journal, in hex
  std::string directory;                       ///< of the local journal
  /// The first number of the local stream that is not done with.
  std::function<result<std::uint64_t>()> local_floor;
  /// REP peers that are connected to it.
  std::function<result<std::uint64_t>()> local_workers;
  std::function<void(const bridge_report&)> tell;  ///< at most a few times a second
};

class bridge {
 public:
  virtual ~bridge() = default;
  virtual status run(int stop) = 0;
};

/// Carries the local queue to the far device: exactly once, in order.
result<std::unique_ptr<bridge>> open_uplink(const bridge_options& options);
/// Carries a far queue here: at least once.
result<std::unique_ptr<bridge>> open_downlink(const bridge_options& options);
/// Carries a far pub/sub channel here, by a durable subscription: exactly once, in order.
result<std::unique_ptr<bridge>> open_feed(const bridge_options& options);
/// Has the far device answer the requests made here.
result<std::unique_ptr<bridge>> open_asking(const bridge_options& options);
/// Has the workers here answer requests of a far service, as long as there are any.
result<std::unique_ptr<bridge>> open_working(const bridge_options& options);

}  // namespace holdfast
