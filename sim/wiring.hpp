// wiring: a session_client on a virtual line: what the driver of an endpoint does with sockets and
// a clock.
//
// Contract: one thread. `after` is called once whatever came has been taken in, so that the
// application may look. Destroying it closes the line without a word, as when a process is killed.
#pragma once

#include <functional>

#include "patterns/session/session_client.hpp"
#include "sim/network.hpp"

namespace holdfast::sim {

class wiring {
 public:
  wiring(session_client_options options, scheduler& time, network& net, std::uint64_t seed);
  ~wiring();
  wiring(const wiring&) = delete;
  wiring& operator=(const wiring&) = delete;

  session_client& session() noexcept { return client_; }
  void start();
  /// Says BYE; nothing follows.
  void stop();
  /// Sends what there is to send and sets the timer again. To be called after the application did
  /// something.
  void pump();
  /// Takes nothing in and does nothing until then: a process that is stopped.
  void pause(std::uint64_t until) noexcept { paused_until_ = until; }
  bool paused() const noexcept { return time_.now() < paused_until_; }

  line_id line() const noexcept { return line_; }
  /// When the device let go of the frame taken in last.
  std::uint64_t left_ns() const noexcept { return left_ns_; }
  std::function<void()> after;
  /// Sees every frame before the session does; `left_ns`: when the device let go of it.
  std::function<void(const multipart&, std::uint64_t left_ns)> before;

 private:
  void receive(multipart frame, std::uint64_t left_ns);
  void exchange();
  void wake();

  scheduler& time_;
  network& net_;
  session_client client_;
  line_id line_ = 0;
  std::uint64_t wake_at_ = never_ns;
  std::uint64_t paused_until_ = 0;
  std::uint64_t left_ns_ = 0;
  std::vector<std::pair<multipart, std::uint64_t>> unread_;
  /// Events hold a weak reference: they may outlive this.
  std::shared_ptr<wiring*> self_;
};

}  // namespace holdfast::sim
