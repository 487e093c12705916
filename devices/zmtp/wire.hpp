// wire: the bytes of ZMTP as a socket that only receives needs them: greeting, frame heads, and the
// commands of the NULL mechanism. Versions 3.x and 2.0 (rfc.zeromq.org: 37/ZMTP, 23/ZMTP, 15/ZMTP).
//
// Contract: pure. What is foreign is looked at within its bounds only. Integers are big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/coding.hpp"

namespace holdfast::zmtp {

/// The first bytes of both sides: what they speak is settled by the byte behind them.
inline constexpr std::size_t signature_bytes = 10, greeting_bytes = 64;
/// Version 2.0: signature, revision, socket type.
inline constexpr std::size_t old_greeting_bytes = 12;

enum class version : std::uint8_t {
  unknown,      ///< the byte that says it is not there yet
  unsupported,  ///< older than 2.0, or not ZMTP at all
  v2,
  v3,
};
version version_of(bytes_view greeting) noexcept;

/// Of a whole greeting of version 3: "NULL", "CURVE".
std::string_view mechanism_of(bytes_view greeting) noexcept;

/// What a PULL sends: the signature first, then what its peer's version asks for.
std::vector<std::byte> signature();
std::vector<std::byte> rest_of_greeting(version spoken);

/// Of as many bytes as there are, eight at most.
inline std::uint64_t big_endian(bytes_view from) noexcept {
  std::uint64_t value = 0;
  for (const std::byte b : from) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

struct frame_head {
  std::uint64_t size = 0;  ///< of the body
  std::uint8_t bytes = 0;  ///< of the head itself
  bool more = false, command = false;
};
/// Empty while the head is not whole.
inline std::optional<frame_head> frame_at(bytes_view from) noexcept {
  if (from.size() < 2) return std::nullopt;
  const auto flags = std::to_integer<unsigned>(from[0]);
  frame_head head{std::to_integer<std::uint64_t>(from[1]), 2, (flags & 1) != 0, (flags & 4) != 0};
  if ((flags & 2) == 0) return head;
  if (from.size() < 9) return std::nullopt;
  head.size = big_endian(from.subspan(1, 8));
  head.bytes = 9;
  return head;
}

/// The body of a command frame: its name and what follows. Empty if it is none.
struct command {
  std::string_view name;
  bytes_view data;
};
std::optional<command> command_in(bytes_view body) noexcept;

/// The value of one of READY's properties; empty if it is not there or the list is broken.
std::string_view property(bytes_view ready, std::string_view name) noexcept;

std::vector<std::byte> ready_command(std::string_view socket_type);
std::vector<std::byte> error_command(std::string_view reason);
/// `ping`: the data of the PING.
std::vector<std::byte> pong_command(bytes_view ping);

}  // namespace holdfast::zmtp
