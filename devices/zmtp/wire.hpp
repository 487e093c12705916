// wire: the bytes of ZMTP as PUSH, PULL, ROUTER and DEALER need them: greeting, frame heads, and
// the commands of the NULL mechanism. Versions 3.x and 2.0 (rfc.zeromq.org: 37/ZMTP, 23/ZMTP,
// 15/ZMTP).
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

/// Whose side of the protocol it is, and who may be at the other end: names, and numbers as version
/// 2.0 has them.
struct role {
  std::string_view own, peer;
  std::byte own_number, peer_number;
};
inline constexpr role pulls{"PULL", "PUSH", std::byte{7}, std::byte{8}};
inline constexpr role pushes{"PUSH", "PULL", std::byte{8}, std::byte{7}};
inline constexpr role routes{"ROUTER", "DEALER", std::byte{6}, std::byte{5}};
inline constexpr role deals{"DEALER", "ROUTER", std::byte{5}, std::byte{6}};

/// What is sent first: the signature; once the peer's is there, the version we speak; then what
/// the version it speaks asks for.
std::vector<std::byte> signature();
std::vector<std::byte> revision();
std::vector<std::byte> rest_of_greeting(version spoken, const role& as);

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

/// Writes the head of a part of so many bytes; `to` has room for frame_head_max. Its size.
inline constexpr std::size_t frame_head_max = 9;
inline std::size_t put_frame_head(std::byte* to, std::uint64_t size, bool more) noexcept {
  const auto flags = static_cast<std::byte>((more ? 1 : 0) | (size > 255 ? 2 : 0));
  to[0] = flags;
  if (size <= 255) {
    to[1] = static_cast<std::byte>(size);
    return 2;
  }
  for (int i = 0; i < 8; ++i) to[1 + i] = static_cast<std::byte>(size >> (56 - 8 * i));
  return frame_head_max;
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
