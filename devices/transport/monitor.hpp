// monitor: tells when the connection of a `connect` endpoint came up and went down. libzmq names
// no peer in its events, so this is of use only where a socket has one connection.
//
// Contract: watch() before connect(); events() drains all there is; poll on channel(). The watched
// socket must be closed after the monitor. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "devices/transport/context.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

enum class link_event : std::uint8_t { up, down };

class monitor {
 public:
  static result<monitor> watch(const context& in, socket& what);
  monitor() noexcept = default;
  monitor(monitor&& other) noexcept;
  monitor& operator=(monitor&& other) noexcept;
  ~monitor();

  /// Appends what happened since the last call, in order.
  void events(std::vector<link_event>& out);
  const socket& channel() const noexcept { return channel_; }

 private:
  void stop() noexcept;
  socket channel_;
  void* watched_ = nullptr;
  std::vector<buffer_ref> parts_;
};

}  // namespace holdfast
