#include "devices/gate/listener.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace holdfast {

result<listener> open_tcp(std::string_view endpoint, int backlog, bool ipv6);
result<listener> open_ipc(std::string_view endpoint, int backlog);  // listener_ipc.cpp

namespace {

status failed(std::string_view endpoint, int error) {
  const errc kind = error == EADDRINUSE      ? errc::in_use
                    : error == EACCES        ? errc::denied
                    : error == EADDRNOTAVAIL ? errc::not_found
                                             : errc::io;
  return {kind, "cannot listen at " + std::string(endpoint) + ": " + errno_text(error)};
}

status malformed(std::string_view endpoint, std::string_view why) {
  return {errc::invalid, "cannot listen at " + std::string(endpoint) + ": " + std::string(why)};
}

struct address {
  sockaddr_storage at{};
  socklen_t size = 0;
};

/// The first address of a network interface, as libzmq's "tcp://eth0:5555".
bool interface_address(const std::string& name, bool ipv6, address& found) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  const sa_family_t family = ipv6 ? AF_INET6 : AF_INET;
  for (const ifaddrs* i = all; i && found.size == 0; i = i->ifa_next) {
    if (!i->ifa_addr || name != i->ifa_name || i->ifa_addr->sa_family != family) continue;
    found.size = ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    std::memcpy(&found.at, i->ifa_addr, found.size);
  }
  ::freeifaddrs(all);
  return found.size != 0;
}

bool numeric_address(const std::string& host, address& found) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return false;
  found.size = list->ai_addrlen;
  std::memcpy(&found.at, list->ai_addr, list->ai_addrlen);
  ::freeaddrinfo(list);
  return true;
}

bool resolve(std::string host, bool ipv6, address& found) {
  if (host == "*") host = ipv6 ? "::" : "0.0.0.0";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return numeric_address(host, found) || interface_address(host, ipv6, found);
}

void set_port(address& where, std::uint16_t port) noexcept {
  if (where.at.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6*>(&where.at)->sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in*>(&where.at)->sin_port = htons(port);
}

std::string tcp_name(const sockaddr_storage& at, socklen_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&at), size, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "tcp://?";
  const bool v6 = at.ss_family == AF_INET6;
  return std::string("tcp://") + (v6 ? "[" : "") + host + (v6 ? "]:" : ":") + port;
}

}  // namespace

result<listener> listener::open(std::string_view endpoint, int backlog, bool ipv6) {
  if (endpoint.starts_with("tcp://")) return open_tcp(endpoint, backlog, ipv6);
  if (endpoint.starts_with("ipc://")) return open_ipc(endpoint, backlog);
  return malformed(endpoint, "one socket per peer needs tcp:// or ipc://");
}

result<listener> open_tcp(std::string_view endpoint, int backlog, bool ipv6) {
  const std::string_view rest = endpoint.substr(6);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return malformed(endpoint, "write tcp://ADDRESS:PORT, tcp://*:PORT or tcp://INTERFACE:PORT");
  std::string_view port_text = rest.substr(colon + 1);
  if (port_text == "*") port_text = "0";
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || error != std::errc{} || end != port_text.data() + port_text.size())
    return malformed(endpoint, "the port is * or a number from 0 to 65535");
  address where;
  if (!resolve(std::string(rest.substr(0, colon)), ipv6, where))
    return malformed(endpoint, "no such address or interface on this machine");
  set_port(where, port);

  listener made;
  made.tcp_ = true;
  made.socket_ = fd(::socket(where.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.socket_) return failed(endpoint, errno);
  const int on = 1, off = 0;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.at.ss_family == AF_INET6)
    ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&where.at), where.size) != 0 ||
      ::listen(made.get(), backlog) != 0 ||
      ::getsockname(made.get(), reinterpret_cast<sockaddr*>(&where.at), &where.size) != 0)
    return failed(endpoint, errno);
  made.endpoint_ = tcp_name(where.at, where.size);
  return made;
}

fd listener::accept() const noexcept {
  for (;;) {
    fd connection(::accept4(get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const bool passed = errno == EINTR || errno == ECONNABORTED || errno == EPROTO;
    if (connection || !passed) return connection;
  }
}

std::string remote_name(int connection, bool tcp) {
  if (tcp) {
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    if (::getpeername(connection, reinterpret_cast<sockaddr*>(&at), &size) != 0) return "tcp://?";
    return tcp_name(at, size);
  }
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return "ipc";
  return "ipc pid " + std::to_string(who.pid) + " uid " + std::to_string(who.uid);
}

}  // namespace holdfast
