// endpoint: where a socket stands, in the notation people write: `@tcp://127.0.0.1:5555` binds,
// `>tcp://host:5555` connects; without a sign a device binds and a client connects.
//
// Contract: pure; every mistake is named with the text it was found in and what to write instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast {

enum class endpoint_role : std::uint8_t { bind, connect };
enum class endpoint_transport : std::uint8_t { tcp, ipc, inproc };

struct endpoint {
  endpoint_role role = endpoint_role::bind;
  endpoint_transport transport = endpoint_transport::tcp;
  std::string address;  ///< as libzmq takes it: "tcp://127.0.0.1:5555"
  bool binds() const noexcept { return role == endpoint_role::bind; }
  /// With its sign, as people write it.
  std::string text() const { return (binds() ? "@" : ">") + address; }
};

/// Bytes of a socket path that the kernel takes (sun_path without its terminator).
inline constexpr std::size_t ipc_path_max = 107;

/// `unsigned_role`: what an endpoint without a sign means here.
result<endpoint> parse_endpoint(std::string_view text, endpoint_role unsigned_role);

}  // namespace holdfast
