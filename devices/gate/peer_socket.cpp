#include "devices/gate/peer_socket.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace holdfast {

namespace {

void set_option(int socket, int level, int name, int value) noexcept {
  ::setsockopt(socket, level, name, &value, sizeof value);
}

}  // namespace

void keep_alive(int connection, int seconds) noexcept {
  seconds = std::max(seconds, 3);
  set_option(connection, IPPROTO_TCP, TCP_KEEPIDLE, std::max(seconds / 2, 1));
  set_option(connection, IPPROTO_TCP, TCP_KEEPINTVL, std::max(seconds / 6, 1));
  set_option(connection, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void send_at_once(int connection) noexcept {
  set_option(connection, IPPROTO_TCP, TCP_NODELAY, 1);
}

void bound_unsent(int connection, bool tcp, int bytes) noexcept {
  if (!tcp) return set_option(connection, SOL_SOCKET, SO_SNDBUF, bytes);
  send_at_once(connection);
  set_option(connection, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

std::uint64_t queued(int connection, unsigned long counter) noexcept {
  int bytes = 0;
  return ::ioctl(connection, counter, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes)
                                                                : 0;
}

std::uint64_t unacknowledged(int connection) noexcept {
  return queued(connection, SIOCOUTQ);
}

bool answers_nothing(int connection, std::uint32_t timeout_ms) noexcept {
  if (unacknowledged(connection) == 0) return false;
  tcp_info seen{};
  socklen_t size = sizeof seen;
  if (::getsockopt(connection, IPPROTO_TCP, TCP_INFO, &seen, &size) != 0) return false;
  const bool unanswered = seen.tcpi_retransmits > 0 || seen.tcpi_probes > 1;
  return unanswered && seen.tcpi_last_ack_recv >= timeout_ms;
}

void reset_on_close(int connection) noexcept {
  const linger now{1, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace holdfast
