// head: the first part of every request and reply as it is stored and sent between reliable peers.
// The parts after it are the application's own; foreign peers never see a head.
//
// Contract: pure. Fixed little-endian layouts (docs/wire_protocol.md, "Requests and replies").
// Decoders check every length, and fail on versions they do not know; views are into the bytes
// given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "patterns/frame.hpp"

namespace holdfast {

enum class request_kind : std::uint8_t {
  plain = 1,     ///< a REQ or DEALER client
  reliable = 2,  ///< a requester with a session
  mdp = 3,       ///< a Majordomo client
};

/// Statuses are for ever. A worker may answer with any number from 200 up; these have a meaning.
namespace reply_status {
inline constexpr std::uint16_t ok = 200;
inline constexpr std::uint16_t closed = 410;   ///< repeated after its reply was acked
inline constexpr std::uint16_t failed = 500;   ///< rejected, or failed too often; a part says why
inline constexpr std::uint16_t unknown = 501;  ///< no such thing to ask for
inline constexpr std::uint16_t full = 503;     ///< the service has as many pending as it may
inline constexpr std::uint16_t expired = 504;  ///< its deadline passed
inline constexpr std::uint16_t dropped = 507;  ///< beyond the limits of its service
}  // namespace reply_status

inline constexpr std::uint8_t head_version = 1;
inline constexpr std::size_t request_head_bytes = 36;  ///< without the envelope
inline constexpr std::size_t reply_head_bytes = 36;    ///< without the worker's name
inline constexpr std::size_t envelope_bytes_max = 4096;
inline constexpr std::size_t envelope_parts_max = 64;
inline constexpr std::size_t worker_name_bytes_max = 255;
inline constexpr std::size_t head_bytes_max = request_head_bytes + envelope_bytes_max;

struct request_head {
  request_kind kind = request_kind::reliable;
  bytes16 id{};                    ///< the requester's; the device's for foreign clients
  std::uint64_t deadline_ms = 0;   ///< unix; 0 = the channel's, from when the device took it
  std::uint16_t attempts_max = 0;  ///< failed ones, at most the channel's; 0 = the channel's
  std::uint32_t client = 0;        ///< reliable: 0, the record's header says who
  bytes_view envelope;             ///< patterns/envelope.hpp: a foreign client's address stack
};

struct reply_head {
  std::uint16_t status = reply_status::ok;
  bytes16 id{};                ///< of the request
  std::uint64_t sequence = 0;  ///< of the request in its service's stream
  std::string_view worker;     ///< for people
};

/// Both write at most head_bytes_max and return how much. Envelope and name are within their
/// limits.
std::size_t encode(std::span<std::byte> into, const request_head& h) noexcept;
std::size_t encode(std::span<std::byte> into, const reply_head& h) noexcept;
std::optional<request_head> decode_request_head(bytes_view part) noexcept;
std::optional<reply_head> decode_reply_head(bytes_view part) noexcept;

/// True if the bytes are an envelope within the limits.
bool envelope_holds(bytes_view envelope) noexcept;

}  // namespace holdfast
