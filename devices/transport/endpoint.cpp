#include "devices/transport/endpoint.hpp"

#include <charconv>
#include <optional>

namespace holdfast {
namespace {

status bad(std::string_view text, std::string why) {
  return {errc::invalid, "endpoint '" + std::string(text) + "': " + std::move(why)};
}

/// Ports 1-65535; for a bind also 0 and '*', which ask the system for a free one.
bool port_holds(std::string_view port, bool binds) {
  if (port == "*") return binds;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc{} || end != port.data() + port.size()) return false;
  return value <= 65'535 && (binds || value > 0);
}

status check_tcp(std::string_view text, std::string_view rest, bool binds) {
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos)
    return bad(text, "the port is missing; write tcp://HOST:PORT");
  if (colon == 0)
    return bad(text,
               "the host is missing; write tcp://127.0.0.1:PORT, or tcp://*:PORT to bind "
               "every interface");
  const std::string_view port = rest.substr(colon + 1);
  if (!port_holds(port, binds))
    return bad(text, "'" + std::string(port) + "' is no port; " +
                         (binds ? "write 1 to 65535, or * for a free one" : "write 1 to 65535"));
  if (!binds && rest.substr(0, colon) == "*")
    return bad(text,
               "'*' names every interface and cannot be connected to; write a host, or @ to "
               "bind");
  return {};
}

status check_ipc(std::string_view text, std::string_view path) {
  if (path.empty()) return bad(text, "the path is missing; write ipc://PATH");
  if (path.size() > ipc_path_max)
    return bad(text, "the path has " + std::to_string(path.size()) +
                         " bytes and the system takes 107; use a shorter one, or a relative path");
  return {};
}

struct scheme {
  std::string_view prefix;
  endpoint_transport transport;
};
constexpr scheme schemes[] = {{"tcp://", endpoint_transport::tcp},
                              {"ipc://", endpoint_transport::ipc},
                              {"inproc://", endpoint_transport::inproc}};

std::optional<scheme> scheme_of(std::string_view address) {
  for (const scheme& s : schemes)
    if (address.starts_with(s.prefix)) return s;
  return std::nullopt;
}

}  // namespace

result<endpoint> parse_endpoint(std::string_view text, endpoint_role unsigned_role) {
  endpoint made;
  made.role = unsigned_role;
  std::string_view address = text;
  if (address.starts_with('@') || address.starts_with('>')) {
    made.role = address.front() == '@' ? endpoint_role::bind : endpoint_role::connect;
    address.remove_prefix(1);
  }
  if (address.empty()) return bad(text, "it is empty; write for example @tcp://127.0.0.1:5555");
  const auto found = scheme_of(address);
  if (!found)
    return bad(text,
               "the transport must be tcp://, ipc:// or inproc://; write for example "
               "@tcp://127.0.0.1:5555");
  const std::string_view rest = address.substr(found->prefix.size());
  made.transport = found->transport;
  made.address = address;
  status outcome;
  if (made.transport == endpoint_transport::tcp) outcome = check_tcp(text, rest, made.binds());
  if (made.transport == endpoint_transport::ipc) outcome = check_ipc(text, rest);
  if (made.transport == endpoint_transport::inproc && rest.empty())
    outcome = bad(text, "the name is missing; write inproc://NAME");
  if (!outcome) return outcome;
  return made;
}

}  // namespace holdfast
