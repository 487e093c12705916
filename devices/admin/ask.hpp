// ask: questions to a device from outside.
//
// Contract: blocks at most `timeout_ns`. Never becomes a consumer or a producer of anything.
#pragma once

#include <cstdint>
#include <string>

#include "devices/transport/context.hpp"

namespace holdfast {

/// The device's status, a JSON object. `target` is its data directory, the endpoint of its admin
/// socket, or a reliable endpoint (DESCRIBE, docs/wire_protocol.md). errc::not_found at once where
/// nobody holds the directory's lock.
result<std::string> ask_status(const context& in, const std::string& target,
                               std::uint64_t timeout_ns);

}  // namespace holdfast
