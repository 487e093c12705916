// driver: the library's thread for one ZeroMQ context. It drives the sessions of all endpoints that
// use the context and sleeps while nothing happens.
//
// Contract: add() and remove() from any thread; remove() returns once the link's connection is
// closed and the thread will not touch it again. The thread ends with the last reference.
#pragma once

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "devices/loop/wake.hpp"
#include "devices/transport/context.hpp"

namespace holdfast {

class link;

class driver {
 public:
  /// The driver of this libzmq context; null: of the library's own context. Made when first asked
  /// for.
  static result<std::shared_ptr<driver>> of(void* foreign);
  explicit driver(context in);
  ~driver();
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  void add(link& what);
  void remove(link& what);
  /// After setting a link's dirty mark: wakes the thread if it sleeps, else costs one load.
  void wake_if_asleep() noexcept {
    if (asleep_.load() && asleep_.exchange(false)) wake_.signal();
  }
  /// A link's deadline was brought forward: wakes the thread if it would sleep past it.
  void wake_before(std::uint64_t deadline_ns) noexcept {
    if (deadline_ns < asleep_until_ns_.load()) wake_if_asleep();
  }

 private:
  void run();
  void take_changes(instant at);
  bool turn_all(instant at);
  void sleep(bool busy);
  static pollfd what_to_poll(const link& one, bool lent) noexcept;

  context context_;
  wake wake_;
  std::atomic<bool> asleep_{false};
  std::atomic<std::uint64_t> asleep_until_ns_{0};
  std::atomic<bool> changed_{false};

  std::mutex mutex_;
  std::condition_variable applied_;
  std::vector<link*> coming_, going_;
  bool ending_ = false;

  // the thread's own
  std::vector<link*> links_;
  std::vector<link*> lent_;     // reused
  std::vector<pollfd> polled_;  // wake_, then each link's connection
  std::thread thread_;
};

}  // namespace holdfast
