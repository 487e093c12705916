// listener: a bound and listening TCP or ipc socket at an endpoint in libzmq's notation.
//
// Contract: system calls on the calling thread; none waits but for that lock, 100 ms at most. A
// failure names the endpoint and the system's reason. ipc: a socket file nobody listens at is
// replaced, while a lock on its directory keeps two starting processes apart; a live socket or any
// other file is never touched. The file is removed at the end if it is still the one that was made.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "devices/gate/fd.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

class listener {
 public:
  static result<listener> open(std::string_view endpoint, int backlog, bool ipv6);
  listener() = default;
  listener(listener&& other) noexcept;
  listener& operator=(listener&& other) noexcept;
  ~listener();

  int get() const noexcept { return socket_.get(); }
  /// The next connection, non-blocking; none, with errno: EAGAIN if nobody waits. Those that were
  /// given up meanwhile are passed over.
  fd accept() const noexcept;
  bool tcp() const noexcept { return tcp_; }
  /// With the port the system chose.
  const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  friend result<listener> open_tcp(std::string_view endpoint, int backlog, bool ipv6);
  friend result<listener> open_ipc(std::string_view endpoint, int backlog);
  void remove_file() noexcept;

  fd socket_;
  bool tcp_ = false;
  std::string endpoint_;
  std::string path_;  ///< of the file that was made; empty for TCP and abstract names
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Who is at the other end, for people: "tcp://10.0.0.7:41234", "ipc pid 4711 uid 1000".
std::string remote_name(int connection, bool tcp);

}  // namespace holdfast
