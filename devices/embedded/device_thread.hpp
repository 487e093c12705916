// device_thread: one device loop on a thread of its own, from open to an orderly end. What the
// command's host, embedded devices and the sidecar stand on.
//
// Contract: start() once; every other call from any thread. `on_change` is called on the device's
// thread when it is running and when it has ended. The destructor stops and joins. The context
// outlives the object.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "devices/device_options.hpp"
#include "devices/loop/device_loop.hpp"
#include "devices/transport/context.hpp"

namespace holdfast {

class device_thread {
 public:
  enum class stage { opening, running, ended };

  device_thread(
      const context& in, device_options what, std::function<void()> on_change = [] {});
  ~device_thread();
  device_thread(const device_thread&) = delete;
  device_thread& operator=(const device_thread&) = delete;

  void start();
  /// The orderly end begins; returns at once.
  void stop();

  const std::string& name() const noexcept { return name_; }
  stage at() const;
  bool stopping() const;
  /// Waits until it is running or has ended; how it ended if it has.
  status wait_open() const;
  /// Waits until it has ended: how, or errc::timeout. Zero waits for nothing.
  status wait_ended(std::uint64_t timeout_ns = never_ns) const;
  /// Where its sockets stand; empty before it is running.
  std::vector<bound_endpoint> endpoints() const;
  /// What the device tells of itself, made on its own thread.
  result<std::string> status_json(std::uint64_t timeout_ns = never_ns) const;
  /// Calls `what` on the device's thread between two turns, soon; not at all once it ends.
  void call(std::function<void(device_loop&)> what) const;

 private:
  void live();
  void run(device_loop& loop);
  void end(status why);
  bool wait(std::unique_lock<std::mutex>& held, std::uint64_t timeout_ns,
            const std::function<bool()>& until) const;

  const std::string name_;
  const context& in_;
  device_options options_;  // until it is opened
  const std::function<void()> on_change_;

  mutable std::mutex guard_;  // of the rest, but the thread
  mutable std::condition_variable changed_;
  mutable std::vector<std::function<void(device_loop&)>> calls_;
  device_loop* running_ = nullptr;
  std::vector<bound_endpoint> endpoints_;
  stage now_ = stage::opening;
  bool stop_asked_ = false;
  status outcome_;
  std::thread thread_;
};

}  // namespace holdfast
