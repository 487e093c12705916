// device: a Holdfast device on a thread of the program's own, with its journal, its channels and
// its sockets, configured by the same YAML as `holdfast run` (docs/configuration.md). Reliable
// endpoints of the program reach it over inproc: give both the same ZeroMQ context, or neither one.
//
//   auto lab = holdfast::device::start(R"(devices: [{data: ./lab, channels: [
//     {name: work, pattern: pipeline, reliable: ["@inproc://work"]}]}])");
//
// Guarantees: those of the program `holdfast` (docs/guarantees.md). Nothing is lost when the
// program is killed; the next start goes on from the journal. A journal has one device at a time.
//
// Threads: one library thread a device, beside those of libzmq and of its journal. Every call may
// be made from any thread. Several devices in one process share nothing but the level of the log.
// Signals: none is handled and no handler is installed. Stored messages are copied when they are
// read back (as with `zero_copy: off`), so a journal file that somebody truncates cannot end the
// program. Stop before fork(); only the process that started a device may use it, and a child that
// does not exec() must not touch it. The log goes to standard error: warnings and errors, unless
// `log` says otherwise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "holdfast/endpoint.hpp"

namespace holdfast {

struct device_setup {
  /// Which of the configuration's devices; may be empty where there is but one.
  std::string name;
  /// A libzmq context (void*) that outlives the device, or null for the library's own.
  void* context = nullptr;
  /// "debug", "info", "warning", "error", "off"; empty: not changed. For the whole process.
  std::string log = "warning";
};

/// A socket of the device, wildcards resolved: "tcp://127.0.0.1:34567".
struct device_endpoint {
  std::string channel;
  std::string role;  ///< as in the configuration: "in", "out", "reliable", ...; or "admin"
  std::string endpoint;
};

/// Move-only. The destructor stops.
class device {
 public:
  /// Waits until the journal is open and every socket stands. Fails with all errors of the
  /// configuration as line:column: text (invalid), or what the device could not open.
  static result<device> start(const std::string& yaml, const device_setup& setup = {});
  static result<device> start_file(const std::string& path, const device_setup& setup = {});

  device(device&&) noexcept;
  device& operator=(device&&) noexcept;
  ~device();

  const std::string& name() const noexcept;
  /// False once it is asked to stop, or ended by itself.
  bool ready() const;
  /// As they were when it was ready.
  const std::vector<device_endpoint>& endpoints() const noexcept;
  /// What `holdfast status --json` shows. Errors: closed, timeout.
  result<std::string> status_json(milliseconds timeout = forever) const;

  /// Waits until it has ended, and says how: ok after an orderly end. Errors: timeout, or why.
  status wait(milliseconds timeout = forever) const;
  /// Takes no more, waits until what was taken is durable (at most `drain`, 5 s by default), writes
  /// a checkpoint, closes the journal and the sockets; then as wait(). Its endpoints wait for the
  /// next start.
  status stop();

 private:
  struct state;
  explicit device(std::unique_ptr<state> made) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace holdfast
