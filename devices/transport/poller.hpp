// poller: waits for sockets and file descriptors together (zmq_poll: the build has no draft
// poller).
//
// Contract: one thread. Indices are given by add() in order and stay until clear(). A socket must
// outlive its place here. A negative fd is allowed and never ready.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "devices/transport/socket.hpp"

namespace holdfast {

class poller {
 public:
  poller();
  ~poller();
  poller(poller&&) noexcept;
  poller& operator=(poller&&) noexcept;

  std::size_t add(const socket& what, bool readable = true, bool writable = false);
  std::size_t add_fd(int fd, bool readable = true, bool writable = false);
  void want(std::size_t index, bool readable, bool writable) noexcept;
  void clear() noexcept;
  std::size_t size() const noexcept;

  /// Waits at most `timeout_ns` (rounded up to 1 ms; never_ns = until something happens). False on
  /// failure or interruption: nothing is ready then.
  bool wait(std::uint64_t timeout_ns);
  bool readable(std::size_t index) const noexcept;
  bool writable(std::size_t index) const noexcept;

 private:
  struct items;
  std::unique_ptr<items> items_;
};

}  // namespace holdfast
