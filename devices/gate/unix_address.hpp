// unix_address: ipc in libzmq's notation, PATH or @NAME, as the kernel takes it.
//
// Contract: the path has at most socket_path_max bytes, and one at least.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string_view>

#include "devices/gate/fd.hpp"

namespace holdfast {

/// sun_path without its terminator; the '@' of an abstract name takes the first byte.
inline constexpr std::size_t socket_path_max = 107;

struct unix_address {
  sockaddr_un at{};
  socklen_t size = 0;

  explicit unix_address(std::string_view path) noexcept {
    at.sun_family = AF_UNIX;
    const bool abstract = path.front() == '@';
    std::memcpy(at.sun_path, path.data(), path.size());
    if (abstract) at.sun_path[0] = '\0';
    size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&at); }
};

inline fd unix_socket() noexcept {
  return fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace holdfast
