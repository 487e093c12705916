// plain_line: a raw socket of a verb, as any ZeroMQ program would open it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "devices/transport/context.hpp"
#include "devices/transport/message_reader.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast::cli {

inline constexpr std::uint64_t plain_message_bytes_max = 1ull << 30;
inline constexpr std::size_t plain_parts_max = 65'535;

struct plain_line {
  context process;
  socket peer;
};

/// Connects, or binds where the endpoint begins with @.
result<plain_line> open_line(std::string_view endpoint, socket_kind kind, socket_options options);
status broken_line(std::string_view endpoint);

/// Waits for a message at most `limit_ns`; false if none came, or after a signal.
bool wait_readable(plain_line& line, std::uint64_t limit_ns);
/// Sends one message, waiting for room at most `limit_ns`.
status send_parts(plain_line& line, std::string_view endpoint, std::uint64_t limit_ns,
                  std::span<const std::string> parts);
/// The next message into `reader`, waiting at most `limit_ns`; messages that are too large are told
/// and left out. timeout: none came.
status receive_parts(plain_line& line, std::string_view endpoint, std::uint64_t limit_ns,
                     message_reader& reader);

}  // namespace holdfast::cli
