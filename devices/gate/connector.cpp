#include "devices/gate/connector.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>

#include "devices/gate/peer_socket.hpp"
#include "devices/gate/unix_address.hpp"

namespace holdfast {
namespace {

constexpr std::size_t scheme_bytes = 6;  // tcp:// and ipc://

status failed(std::string_view address, const std::string& why, errc kind = errc::io) {
  return {kind, "cannot connect to " + std::string(address) + ": " + why};
}

result<fd> connect_to(std::string_view address, fd socket, const sockaddr* at, socklen_t size) {
  if (!socket) return failed(address, errno_text(errno));
  if (::connect(socket.get(), at, size) != 0 && errno != EINPROGRESS)
    return failed(address, errno_text(errno));
  return socket;
}

using addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

result<addresses> resolve(std::string_view address) {
  const std::string_view rest = address.substr(scheme_bytes);
  const std::size_t colon = rest.rfind(':');
  std::string_view host = rest.substr(0, colon);
  const std::string port(rest.substr(colon + 1));
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (v6) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_family = v6 ? AF_INET6 : AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(std::string(host).c_str(), port.c_str(), &wanted, &found);
  if (error != 0) return failed(address, ::gai_strerror(error), errc::not_found);
  return addresses(found, &::freeaddrinfo);
}

}  // namespace

result<fd> begin_to_connect(std::string_view address) {
  if (address.starts_with("ipc://")) {
    const unix_address where(address.substr(scheme_bytes));
    return connect_to(address, unix_socket(), where.get(), where.size);
  }
  auto found = resolve(address);
  if (!found) return found.take_status();
  const addrinfo& first = **found;
  fd socket(::socket(first.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket) send_at_once(socket.get());
  return connect_to(address, std::move(socket), first.ai_addr, first.ai_addrlen);
}

}  // namespace holdfast
