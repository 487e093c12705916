// sidecar: a device beside an application, with a journal of its own and plain sockets, and a
// bridge between it and a device far away. The application never notices whether the far device is
// there: up to the disk's limit everything waits here.
//
// Contract: start() once; every other call from any thread. The bridge begins once the device runs,
// ends before it, and is opened again after a failure that may pass. `on_change` as in
// device_thread. The context outlives the object.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "devices/embedded/device_thread.hpp"
#include "devices/loop/wake.hpp"
#include "devices/sidecar/bridge.hpp"
#include "devices/sidecar/sidecar_options.hpp"

namespace holdfast {

/// Where the bridge reaches the device beside it.
inline constexpr const char* sidecar_endpoint = "inproc://holdfast-sidecar";

/// The device a sidecar is.
result<device_options> device_of(const sidecar_options& options);

/// The bridge of one running device.
class bridge_thread {
 public:
  bridge_thread(const context& in, const sidecar_options& options, device_thread& beside);
  ~bridge_thread();

  void start();
  /// Ends the bridge; how it ended. A failure that nobody can mend here stops the device as well.
  status stop();

 private:
  void live();
  status once();
  result<bridge_options> options_now();
  result<std::uint64_t> local_floor();
  result<std::uint64_t> local_workers();
  void tell(const bridge_report& report);

  const context& in_;
  const sidecar_options options_;
  device_thread& beside_;
  wake stopper_;
  std::atomic<bool> stopping_{false};
  status outcome_;  // read after join
  std::thread thread_;
};

}  // namespace holdfast
