// device_host: the devices of one process, one thread each, from open to an orderly end.
//
// Contract: one object, used from one thread (its owner's). The first signal drains, a second one
// ends at once. A device that fails ends them all: what supervises the process shall notice.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "devices/cli/freed_memory.hpp"
#include "devices/cli/stop_signals.hpp"
#include "devices/device_options.hpp"
#include "devices/transport/context.hpp"
#include "holdfast/status.hpp"

namespace holdfast {
class bridge_thread;
class device_thread;
}  // namespace holdfast

namespace holdfast::cli {

class device_host {
 public:
  device_host(const context& in, stop_signals& signals, std::vector<device_options> devices);
  ~device_host();

  /// A sidecar's bridge beside the one device.
  using make_companion =
      std::function<std::unique_ptr<bridge_thread>(const context& in, device_thread& of)>;

  /// Opens all, says `holdfast: ready` on standard output, runs until a signal; the exit status.
  int run(const make_companion& beside = {});

 private:
  struct wakeup;
  bool wait_until_open();
  void announce() const;
  bool wait_for_event();  ///< false on a signal; true too if there was none for a while
  void stop_all();
  int how_they_ended() const;

  const context& in_;
  stop_signals& signals_;
  std::unique_ptr<wakeup> wakeup_;
  std::vector<std::unique_ptr<device_thread>> devices_;
  std::unique_ptr<bridge_thread> companion_;
  status companion_outcome_;
  freed_memory freed_;
};

}  // namespace holdfast::cli
