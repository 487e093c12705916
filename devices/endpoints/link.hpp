// link: one endpoint's session with its connection: where the application's threads and the
// library's thread meet.
//
// Contract: the session and its streams are guarded by lock(). The application changes the stream
// under it and then calls poke(); the driver's thread does the rest in turn(). Whoever is about to
// wait for the answer calls push() instead, which sends on its own thread. After every turn that
// brought something `on_news` runs under the lock, on the thread that made it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "devices/endpoints/driver.hpp"
#include "devices/endpoints/line.hpp"
#include "patterns/session/session_client.hpp"

namespace holdfast {

struct link_options {
  endpoint where;
  session_client_options session;
  std::uint64_t max_message = 256ull << 20;
};

class link {
 public:
  link(link_options options, std::function<void()> on_news);
  link(link_options options, client_stream& stream, std::function<void()> on_news)
      : link(std::move(options), std::move(on_news)) {
    add(stream);
  }
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  // [any thread]

  std::unique_lock<std::mutex> lock() const;
  /// With the lock held, or before a driver has the link: one more stream of the session, for good.
  void add(client_stream& stream) { client_.add(stream); }
  /// With the lock held: waits for the next news until `until`; false when that has come.
  bool wait(std::unique_lock<std::mutex>& held, std::chrono::steady_clock::time_point until);
  /// Like wait(), but frames that come are taken in on this thread: saves an answer the way over
  /// the library's thread, which leaves the connection to the caller meanwhile and for 1 ms more,
  /// so that one message after another wakes it once a ms.
  bool wait_driving(std::unique_lock<std::mutex>& held,
                    std::chrono::steady_clock::time_point until);
  /// With or without the lock: the stream has something to send. Costs a system call only if the
  /// library's thread sleeps.
  void poke();
  /// Like poke(), but the library's thread is not woken for it: what there is to send leaves with
  /// the caller's next push(), or in 2 ms at the latest. For a caller that most likely comes back
  /// at once with more.
  void defer();
  /// Without the lock: sends what is ready to go, unless the library's thread is at it; then like
  /// poke(). Saves a lonely message the way over that thread.
  void push();
  /// With the lock held: why nothing will ever come of this endpoint; ok while it may.
  const status& failure() const noexcept;
  void attach_driver(driver* by) noexcept { driver_ = by; }

  // [driver's thread]

  void start(const context& in, instant at);
  /// Receives, steps the session, sends. True if there is more to do at once; the link is dirty
  /// then.
  bool turn(bool readable, instant at);
  bool due(bool readable, instant at) const noexcept {
    return readable || dirty_.load() || at.now_ns >= deadline_ns_;
  }
  bool dirty() const noexcept { return dirty_.load(); }
  std::uint64_t deadline_ns() const noexcept { return deadline_ns_; }
  /// The connection's, for poll(2), and what it is to be polled for; negative without one.
  int fd() const noexcept { return fd_; }
  short poll_events() const noexcept;
  /// Until then a caller of wait_driving() takes the frames in; never_ns while one waits, which
  /// then wakes the driver at its end if left_out() was said.
  std::uint64_t lent_until_ns() const noexcept { return lent_until_ns_; }
  void left_out() noexcept { left_out_ = true; }
  /// Says BYE and closes the connection for good.
  void finish();

 private:
  bool receive();
  void step(instant at);
  void take_frames(instant at);
  void connect();
  void disconnect() noexcept;
  bool send();
  void send_frames();
  bool settle(line::outcome outcome);
  void fail(status why);

  link_options options_;
  const context* context_ = nullptr;
  driver* driver_ = nullptr;
  std::function<void()> on_news_;

  mutable std::mutex mutex_;
  std::condition_variable news_;
  int waiting_ = 0;
  bool leading_ = false;  // a thread is in wait_driving()
  wake leader_;           // wakes it
  session_client client_;
  status failure_;  // of this machine, not of the session
  std::atomic<bool> dirty_{false};

  std::mutex turn_;  // the rest: whose turn it is; taken before mutex_
  std::unique_ptr<line> line_;
  std::atomic<int> fd_{-1};
  std::atomic<bool> waits_to_write_{false};
  std::atomic<std::uint64_t> lent_until_ns_{0};
  std::atomic<bool> left_out_{false};
  std::vector<std::vector<buffer_ref>> received_;  // reused
  std::size_t received_count_ = 0;
  std::vector<client_frame> unsent_;
  std::atomic<std::uint64_t> deadline_ns_{0};
  bool arrived_ = false;  // there may be frames whether or not the socket says so again
  bool blocked_ = false, close_ = false, open_ = false, more_ = false;
  bool lost_ = false;  // the connection has ended, and the session does not know
};

}  // namespace holdfast
