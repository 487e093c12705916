// frame_codec: HFP/1 frames <-> bytes. Every byte from a peer is checked here, where it is decoded,
// and only here.
//
// Contract: pure. Decoders never trust a length, never throw, and skip fields they do not know. A
// decoder's failure is errc::bad_frame with the field's name. Fixed layouts stand in
// docs/wire_protocol.md with their offsets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/buffer.hpp"
#include "patterns/frame.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// Limits of what is decoded (docs/wire_protocol.md, "Limits").
inline constexpr std::size_t ranges_max = 4096;  ///< in one ack, nack or touch
inline constexpr std::size_t id_bytes_max = 255;
inline constexpr std::size_t address_bytes_max = 255;
inline constexpr std::size_t prefixes_max = 256;  ///< of one subscription, 255 bytes each
inline constexpr std::size_t description_bytes_max = 64 * 1024;
inline constexpr std::size_t reason_bytes_max = 1024;
inline constexpr std::uint32_t heartbeat_ms_max = 3'600'000;
inline constexpr std::uint64_t delay_ms_max = 365ull * 24 * 3'600'000;

/// The frozen prefix.
struct frame_prefix {
  std::uint8_t major = protocol_major;
  frame_type type{};
  std::uint32_t session = 0;
};
/// Empty if the bytes do not begin with 'H' 'F' and a whole prefix. Says nothing of the version.
std::optional<frame_prefix> decode_prefix(bytes_view head) noexcept;

// Fixed frames: into a small head.
void encode_bare(small_head& into, frame_type type,
                 std::uint32_t session) noexcept;  // reset, ping, pong, bye, describe
void encode_refuse_version(small_head& into, std::uint8_t min, std::uint8_t max) noexcept;
/// The versions a REFUSE_VERSION frame names; empty if it is too short.
struct version_range {
  std::uint8_t min = 0, max = 0;
};
std::optional<version_range> decode_refuse_version(bytes_view head) noexcept;
void encode(small_head& into, std::uint32_t session, const publish& f) noexcept;
void encode(small_head& into, std::uint32_t session, const accept& f) noexcept;
void encode(small_head& into, std::uint32_t session, const resync& f) noexcept;
void encode(small_head& into, std::uint32_t session, const resume& f) noexcept;
void encode(small_head& into, std::uint32_t session, const probe& f) noexcept;
void encode(small_head& into, std::uint32_t session, const credit& f) noexcept;
void encode(small_head& into, std::uint32_t session, const deliver& f) noexcept;
void encode(small_head& into, std::uint32_t session, const acked& f) noexcept;
void encode(small_head& into, std::uint32_t session, const reply_frame& f) noexcept;
void encode(small_head& into, std::uint32_t session, const replied& f) noexcept;

/// Fills in an encoded `deliver` what only the one who cut the run knows: first_sequence, count,
/// props_mask, whole, time_ns and body_sum come from `f`; session, stream, attempt and redelivered
/// stay as the pattern set them.
void patch_deliver(small_head& head, const deliver& f) noexcept;

// Frames of variable size: a buffer of their own.
buffer_ref encode(std::uint32_t session, const hello& f);
buffer_ref encode(std::uint32_t session, const welcome& f);
buffer_ref encode(std::uint32_t session, const attach& f);
buffer_ref encode(std::uint32_t session, const attached& f);
buffer_ref encode(std::uint32_t session, const attach_refused& f);
buffer_ref encode(std::uint32_t session, const refuse& f);
buffer_ref encode(std::uint32_t session, const ack& f);
buffer_ref encode(std::uint32_t session, const nack& f);
buffer_ref encode(std::uint32_t session, const touch& f);
buffer_ref encode(std::uint32_t session, const gap& f);
/// JSON text, cut to description_bytes_max.
buffer_ref encode_described(std::uint32_t session, std::string_view json);

result<publish> decode_publish(bytes_view head);
result<accept> decode_accept(bytes_view head);
result<resync> decode_resync(bytes_view head);
result<resume> decode_resume(bytes_view head);
result<probe> decode_probe(bytes_view head);
result<credit> decode_credit(bytes_view head);
result<deliver> decode_deliver(bytes_view head);
result<acked> decode_acked(bytes_view head);
result<hello> decode_hello(bytes_view head);
result<welcome> decode_welcome(bytes_view head);
result<attach> decode_attach(bytes_view head);
result<attached> decode_attached(bytes_view head);
result<attach_refused> decode_attach_refused(bytes_view head);
result<refuse> decode_refuse(bytes_view head);
result<ack> decode_ack(bytes_view head);
result<nack> decode_nack(bytes_view head);
result<touch> decode_touch(bytes_view head);
result<gap> decode_gap(bytes_view head);
result<reply_frame> decode_reply_frame(bytes_view head);
result<replied> decode_replied(bytes_view head);
/// The JSON text, valid as long as `head`.
result<std::string_view> decode_described(bytes_view head);

/// Simple form, producing: map {s: stream, n: number}; the message's parts follow as they are.
struct publish_simple {
  stream_id stream = no_stream;
  std::uint64_t number = 0;
};
/// Simple form, consuming: map {s, q: sequence, a: attempt, r: redelivered}; the parts follow. The
/// device encodes the map, the driver adds the parts of the entry.
struct deliver_simple {
  stream_id stream = no_stream;
  std::uint64_t sequence = 0;
  std::uint16_t attempt = 1;
  std::uint8_t redelivered = 0;
};
result<publish_simple> decode_publish_simple(bytes_view head);
result<deliver_simple> decode_deliver_simple(bytes_view head);
buffer_ref encode(std::uint32_t session, const publish_simple& f);
buffer_ref encode(std::uint32_t session, const deliver_simple& f);

/// Simple form: accept, refuse, resync, attached, acked, credit and acks are MessagePack maps as
/// well, so that a client needs only MessagePack: the same frame types with a map after the prefix
/// (docs/wire_protocol.md, "Simple form").
buffer_ref encode_simple(std::uint32_t session, const accept& f);
buffer_ref encode_simple(std::uint32_t session, const resync& f);
buffer_ref encode_simple(std::uint32_t session, const resume& f);
buffer_ref encode_simple(std::uint32_t session, const acked& f);
buffer_ref encode_simple(std::uint32_t session, const ack& f);
buffer_ref encode_simple(std::uint32_t session, const credit& f);
buffer_ref encode_simple(std::uint32_t session, const probe& f);
result<accept> decode_accept_simple(bytes_view head);
result<resync> decode_resync_simple(bytes_view head);
result<resume> decode_resume_simple(bytes_view head);
result<acked> decode_acked_simple(bytes_view head);
result<ack> decode_ack_simple(bytes_view head);
result<credit> decode_credit_simple(bytes_view head);
result<probe> decode_probe_simple(bytes_view head);

}  // namespace holdfast
