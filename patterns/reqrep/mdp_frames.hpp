// mdp_frames: Majordomo 7/MDP 0.1 on the wire, as its broker sees it: what clients and workers send
// decoded, what they are sent encoded. A multipart here is without the ROUTER's routing id.
//
//   client:  [stack.., '', "MDPC01", service, body..]          both ways
//   worker:  ['', "MDPW01", command, ..]                       commands as below
//
// Contract: pure, and total: any multipart decodes to something, at worst `malformed`. Views are
// into the frame given. A client's stack is kept as it came: nothing (REQ), the 4 bytes of
// ZMQ_REQ_CORRELATE, or what proxies on the way added. Source: docs/majordomo.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/buffer.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

namespace mdp {
inline constexpr std::size_t service_bytes_max = 249;  ///< the stream of its replies adds 6
inline constexpr std::size_t stack_parts_max = 16;     ///< before a client's delimiter
inline constexpr std::size_t stack_bytes_max = 1024;   ///< of all its parts
}  // namespace mdp

enum class mdp_command : std::uint8_t {
  ready = 1,
  request = 2,  ///< to a worker
  reply = 3,
  heartbeat = 4,
  disconnect = 5,
};

enum class mdp_kind : std::uint8_t {
  malformed,       ///< no frame of this protocol
  client_request,  ///< service, body
  worker_ready,    ///< service
  worker_reply,    ///< client, body
  worker_heartbeat,
  worker_disconnect,
  worker_broken,  ///< says MDPW01, but its command is unknown, not a worker's, or not well formed
};

/// What a client or worker sent.
struct mdp_frame {
  mdp_kind kind = mdp_kind::malformed;
  std::size_t header = 0;  ///< of a client: index of the part "MDPC01"; the stack stands before it
  bytes_view service;      ///< may be unfit, see service_fits()
  bytes_view client;       ///< of a reply: the address its request bore
  std::span<const buffer_ref> body;  ///< may be empty
};

mdp_frame decode_mdp(const frame_in& frame) noexcept;

/// 1 to service_bytes_max bytes, none of them NUL.
bool service_fits(bytes_view service) noexcept;
/// A name of 8/MMI: answered by the broker, never served by a worker.
bool is_mmi(bytes_view service) noexcept;

// Envelopes (patterns/envelope.hpp): a body's own parts follow them.
/// What stands before a reply to the client that sent `frame`, a client_request.
buffer_ref mdp_reply_envelope(const frame_in& frame, const mdp_frame& request);
/// What stands before a request to a worker, which sends `client` back with its reply.
buffer_ref mdp_request_envelope(bytes_view client);
/// Whole frames.
buffer_ref mdp_control(mdp_command command);
/// The answer to an 8/MMI request: its body with the last part replaced by `code`.
buffer_ref mmi_answer(const frame_in& frame, const mdp_frame& request, bytes_view code);

}  // namespace holdfast
