// device_loop: sockets, engine and journal on one thread: one loop, one journal, several channels.
//
// Life: open() makes everything and binds; run() loops until stop() and ends in order: it takes no
// more, waits until what it took is durable, writes a final checkpoint and closes the journal.
//
// Contract: open(), run() and turn() on one thread; stop() from any thread or a signal handler.
// Failures of open() name the device, the object and the reason. A journal that failed for good
// stops intake, not the device: what is stored can still be delivered.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/device_options.hpp"
#include "devices/transport/context.hpp"
#include "journal/options.hpp"
#include "patterns/stats.hpp"

namespace holdfast {

/// Where a socket of the device stands, wildcards resolved.
struct bound_endpoint {
  std::string channel;
  std::string role;  ///< "in", "out", "reliable", "workers", "mdp", "ack_back", "admin"
  std::string endpoint;
};

/// What the owner of a device has to say beside the device itself: shown in its status.
struct device_note {
  std::vector<std::pair<std::string, std::string>> words;
  std::vector<std::pair<std::string, std::uint64_t>> figures;
};

class device_loop {
 public:
  static result<std::unique_ptr<device_loop>> open(const context& in, device_options options);
  ~device_loop();
  device_loop(const device_loop&) = delete;
  device_loop& operator=(const device_loop&) = delete;

  /// Returns when stopped: ok after an orderly end, else what went wrong in it.
  status run();
  void stop() noexcept;
  bool stop_asked() const noexcept;
  /// Ends the wait of the turn under way. From any thread.
  void nudge() noexcept;

  /// One turn, waiting at most `wait_ns` for something to do. For tests and embedding; run() calls
  /// it.
  void turn(std::uint64_t wait_ns);
  /// The orderly end that run() comes to.
  status finish();

  const device_options& options() const noexcept;
  const open_report& opened() const noexcept;
  std::vector<bound_endpoint> endpoints() const;
  /// What `holdfast status` shows: one JSON object.
  std::string status_json() const;
  /// Figures of every channel, in the order of the options.
  std::vector<channel_stats> report() const;
  /// Replaces the status's "bridge".
  void set_note(device_note note);

  struct parts;  ///< devices/loop/device_parts.hpp; for this folder and devices/admin

 private:
  explicit device_loop(std::unique_ptr<parts> made) noexcept;
  std::unique_ptr<parts> parts_;
};

}  // namespace holdfast
