// wire_door: where a port that speaks ZMTP itself listens, and what happens at its connections.
//
// Contract: one thread. Edge-triggered: what was not read or written to its end is not told again;
// the door itself is. Connections are numbers from 1 on, never used again. Descriptors that run out
// make the door pause; it tries again after half a second, and when a connection has ended. Of each
// connection it says once that its time to shake hands is over, though it may have ended since.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "devices/gate/fd.hpp"
#include "devices/gate/listener.hpp"
#include "devices/transport/endpoint.hpp"
#include "devices/transport/poller.hpp"

namespace holdfast {

class wire_door {
 public:
  struct arrival {
    std::uint64_t number = 0;
    fd connection;
    std::string who;
  };
  struct news {
    std::uint64_t number = 0;
    bool readable = false, ending = false, writable = false;
    bool overdue = false;  ///< it came handshake_ns ago; it is looked at as if readable
  };

  static constexpr std::uint64_t handshake_ns = 30 * second_ns;
  /// A TCP peer whose host is gone is noticed after so long.
  static constexpr std::uint32_t peer_timeout_ms = 30'000;

  static result<wire_door> open(const endpoint& where);

  void add_to(poller& waiting) { polled_at_ = waiting.add_fd(events_.get()); }
  void take_poll(const poller& waiting) { raised_ = waiting.readable(polled_at_); }
  /// If anything happened: who came, and what happened at those who are there.
  void look(std::uint64_t now_ns);
  std::vector<arrival>& came() noexcept { return came_; }
  const std::vector<news>& seen() const noexcept { return seen_; }

  /// News of it from now on; it is readable, perhaps. False: there is no room for it.
  bool watch(int connection, std::uint64_t number) const noexcept;
  /// Whether it is told once the connection takes bytes again.
  void watch_writable(int connection, std::uint64_t number, bool wanted) const noexcept;
  /// A connection has ended.
  void left(std::uint64_t now_ns) noexcept;
  void close() noexcept;

  bool tcp() const noexcept { return door_.tcp(); }
  const std::string& actual() const noexcept { return actual_; }
  std::uint64_t next_deadline() const noexcept;
  /// A warning, one in a while; the others for those who look closely.
  void complain(const std::string& about, std::uint64_t now_ns);

 private:
  wire_door(listener door, fd events);
  bool watch_door() const noexcept;
  void accept_some(std::uint64_t now_ns);
  void pause(int error, std::uint64_t now_ns);
  void tell_overdue(std::uint64_t now_ns);

  listener door_;
  fd events_;  // epoll: the door is 0
  std::string actual_;
  std::size_t polled_at_ = 0;
  bool raised_ = false;
  std::uint64_t last_number_ = 0;
  std::vector<arrival> came_;
  std::vector<news> seen_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> new_;  // number, when it came
  std::uint64_t accept_again_ns_ = never_ns;                 // descriptors ran out
  std::uint64_t quiet_until_ns_ = 0;                         // complaints
};

}  // namespace holdfast
