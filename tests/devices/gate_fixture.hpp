// Verbs for the tests of the gate with raw sockets: a gate at a port of its own, peers that connect
// to it, and the private sockets the device would bind. Sockets are blocking with a limit on
// waiting, so that a lost byte fails a test instead of hanging it.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "devices/gate/fd.hpp"
#include "devices/gate/gate.hpp"

namespace gate_test {

using namespace holdfast;

inline constexpr int patience_ms = 10'000;

inline std::uint16_t port_of(const std::string& where) {
  std::uint16_t port = 0;
  const char* const digits = where.data() + where.rfind(':') + 1;
  std::from_chars(digits, where.data() + where.size(), port);
  return port;
}

inline fd limited(fd made) {
  const timeval limit{patience_ms / 1000, 0};
  ::setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return made;
}

inline fd connect_tcp(std::uint16_t port, int receive_buffer = 0) {
  fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0)
    ::setsockopt(made.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(made.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return limited(std::move(made));
}

inline sockaddr_un unix_name(std::string_view path, socklen_t& size) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.data(), path.size());
  if (path.front() == '@') at.sun_path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                (path.front() == '@' ? 0 : 1));
  return at;
}

inline fd listen_unix(std::string_view path) {
  fd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t size = 0;
  const sockaddr_un at = unix_name(path, size);
  REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(made.get(), 8) == 0);
  return made;
}

inline fd connect_unix(std::string_view path) {
  fd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t size = 0;
  const sockaddr_un at = unix_name(path, size);
  REQUIRE(::connect(made.get(), reinterpret_cast<const sockaddr*>(&at), size) == 0);
  return limited(std::move(made));
}

inline void send_all(const fd& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    REQUIRE(n > 0);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Sends until nothing has been taken for 200 ms; how many bytes were.
inline std::size_t send_until_full(const fd& to, std::size_t at_most) {
  const std::string piece(8192, 'z');
  std::size_t sent = 0;
  pollfd wait{to.get(), POLLOUT, 0};
  while (sent<at_most&& ::poll(&wait, 1, 200)> 0) {
    const ssize_t n = ::send(to.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  return sent;
}

inline std::string receive(const fd& from, std::size_t size) {
  std::string got(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    const ssize_t n = ::recv(from.get(), got.data() + at, size - at, 0);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  got.resize(at);
  return got;
}

/// True if the other side's end is the next thing read.
inline bool ended(const fd& of) {
  char byte;
  return ::recv(of.get(), &byte, 1, 0) == 0;
}

class gate_at {
 public:
  explicit gate_at(gate_options options = {}, std::string_view endpoint = "tcp://127.0.0.1:*")
      : box(open(options)) {
    auto listening = box.listen(endpoint, 7);
    REQUIRE_MESSAGE(listening.ok(), listening.text());
    where = *listening;
  }

  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(where.substr(where.rfind(':') + 1)));
  }

  /// The next event, in order.
  gate_event next(int wait_ms = patience_ms) {
    const std::uint64_t until = system_now().now_ns + static_cast<std::uint64_t>(wait_ms) * ms_ns;
    while (heard_.empty() && system_now().now_ns < until) {
      pollfd wait{box.wake_fd(), POLLIN, 0};
      ::poll(&wait, 1, wait_ms);
      std::vector<gate_event> fresh;
      box.poll(fresh);
      for (auto& event : fresh) heard_.push_back(std::move(event));
    }
    REQUIRE(!heard_.empty());
    gate_event first = std::move(heard_.front());
    heard_.pop_front();
    return first;
  }
  bool quiet(int for_ms) {
    pollfd wait{box.wake_fd(), POLLIN, 0};
    return heard_.empty() && ::poll(&wait, 1, for_ms) == 0;
  }

  gate_event up() {
    gate_event event = next();
    REQUIRE(event.what == gate_event::kind::peer_up);
    return event;
  }
  gate_event down() {
    gate_event event = next();
    REQUIRE(event.what == gate_event::kind::peer_down);
    return event;
  }

  gate box;
  std::string where;

 private:
  static gate open(const gate_options& options) {
    auto made = gate::open(options);
    REQUIRE(made.ok());
    return std::move(made).value();
  }
  std::deque<gate_event> heard_;
};

/// A peer that is relayed: its own end, and the end libzmq would have.
struct relayed {
  fd outer, inner;
  gate_peer peer = 0;

  relayed(gate_at& at, fd connected) : outer(std::move(connected)) {
    const gate_event up = at.up();
    peer = up.peer;
    const fd door = listen_unix(std::string_view(up.endpoint).substr(6));
    at.box.ready(peer);
    inner = limited(fd(::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    REQUIRE(inner);
  }
  explicit relayed(gate_at& at) : relayed(at, connect_tcp(at.port())) {}
};

/// Waits until nothing is under way to the peer.
inline bool becomes_idle(const gate& box, gate_peer peer) {
  const std::uint64_t until = system_now().now_ns + std::uint64_t{patience_ms} * ms_ns;
  while (!box.unsent(peer).idle) {
    if (system_now().now_ns > until) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace gate_test
