// poller: waits for sockets and file descriptors together, by poll(2) on the descriptors of the
// sockets. Such a descriptor tells of news once, and only events() says what it is; so a socket is
// asked where its descriptor was raised, and before a wait where a call on it may have taken the
// news in. All others cost nothing.
//
// Contract: one thread. Indices are given by add() in order and stay until clear(). A socket must
// outlive its place here, and must not be moved meanwhile. A negative fd is allowed and never
// ready.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "devices/transport/socket.hpp"

namespace holdfast {

class poller {
 public:
  std::size_t add(const socket& what, bool readable = true, bool writable = false);
  std::size_t add_fd(int fd, bool readable = true, bool writable = false);
  void want(std::size_t index, bool readable, bool writable) noexcept;
  void clear() noexcept;
  std::size_t size() const noexcept { return items_.size(); }

  /// Waits at most `timeout_ns` (rounded up to 1 ms; never_ns = until something happens). False on
  /// failure or interruption: nothing is ready then. A socket that failed is ready for everything:
  /// the next call on it tells.
  bool wait(std::uint64_t timeout_ns);
  bool readable(std::size_t index) const noexcept { return items_[index].readable; }
  bool writable(std::size_t index) const noexcept { return items_[index].writable; }

 private:
  struct item {
    const socket* from = nullptr;  // null: a descriptor
    bool wants_read = false, wants_write = false;
    bool readable = false, writable = false;
  };
  std::size_t add(const item& made, int fd);
  void set_waited(std::size_t index, int fd) noexcept;
  bool ask(item& one) noexcept;
  bool ask_what_fd_may_not_tell() noexcept;
  void ask_all() noexcept;
  bool take_results() noexcept;

  std::vector<item> items_;
  std::vector<pollfd> waited_;  // for each
  std::vector<int> fds_;        // what waited_ names unless nothing is wanted
};

}  // namespace holdfast
