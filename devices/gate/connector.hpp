// connector: begins a connection to a TCP or ipc endpoint in libzmq's notation.
//
// Contract: does not wait for the other side, but for the resolution of a host's name. The socket
// is non-blocking: once it is writable the connection is there, or a call on it says why not.
#pragma once

#include <string_view>

#include "devices/gate/fd.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// `address`: as parse_endpoint() gives it. Of a name's addresses the first of IPv4 is taken; IPv6
/// is written in brackets.
result<fd> begin_to_connect(std::string_view address);

}  // namespace holdfast
