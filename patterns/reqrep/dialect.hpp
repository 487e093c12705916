// dialect: how foreign clients and workers speak (plain REQ and REP, READY-style workers,
// Majordomo), and `exchange`, the core they all stand around: one queue of requests a service,
// workers in the order they became free, replies bound to their dispatch.
//
// Contract: sans-IO, one thread. A dialect parses what comes through its door, and says how
// envelopes look; the core stores, dispatches, times, and counts. A worker holds one request at
// most. A dispatch is over when its worker replies, is gone, or runs out of time; whatever comes
// for it later is late. Frames a dialect sends itself (heartbeats, DISCONNECT) go out at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "patterns/frame.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// Names one dispatch of one request on the wire: 16 bytes, little-endian, never given twice.
struct dispatch_id {
  stream_id stream = no_stream;  ///< the service
  std::uint16_t epoch = 0;       ///< the stream's, low half
  std::uint16_t attempt = 0;
  std::uint64_t sequence = 0;  ///< the request
  friend bool operator==(const dispatch_id&, const dispatch_id&) = default;
};
inline constexpr std::size_t dispatch_id_bytes = 16;
bytes16 to_bytes(const dispatch_id& id) noexcept;
/// A zero stream if the bytes are no dispatch id.
dispatch_id dispatch_from(bytes_view bytes) noexcept;

using worker_id = std::uint32_t;  ///< of one channel, never reused; 0 = nobody

class dialect;

/// A worker that is ready for its first request.
struct worker_def {
  dialect* speaks = nullptr;
  peer_id peer = 0;
  std::string_view service;   ///< defined if it is new
  std::string name;           ///< for people
  std::uint64_t busy_ns = 0;  ///< it is given so long for a request; 0 = the attempt time-out
};

/// A request of a foreign client.
struct foreign_request {
  peer_id client = 0;        ///< the connection its reply goes to
  std::string_view service;  ///< defined if it is new
  bool mdp = false;          ///< kind of its head
  buffer_ref
      reply_envelope;  ///< patterns/envelope.hpp: the parts that stand before the reply's own
  std::span<const buffer_ref> body;  ///< at least one part
};
enum class submitted : std::uint8_t {
  stored,   ///< dispatched once durable
  full,     ///< the service has queue_max pending: dropped and counted, never answered
  refused,  ///< too large, too many services, a reserved name: dropped and counted
};

/// The core as a dialect sees it. None of these calls calls back into the dialect at once.
class exchange {
 public:
  virtual ~exchange() = default;

  virtual submitted submit(const foreign_request& r) = 0;

  /// Joins idle; 0: the service cannot be (too many, a reserved name).
  virtual worker_id worker_ready(worker_def w) = 0;
  /// Gone, or thrown out: its request is dispatched to another at once, as one more failed attempt.
  virtual void worker_gone(worker_id w) = 0;
  /// Its answer. `stored`: it is the reply, and the worker is idle again. `late`: it was given up
  /// or answered before; counted, and the worker is idle again. Call only with what dispatched()
  /// says; parts are copied.
  virtual reply_outcome reply(worker_id w, std::uint16_t status,
                              std::span<const buffer_ref> parts) = 0;
  /// What it was given and has not answered, even if its time ran out since; stream 0 = idle.
  virtual dispatch_id dispatched(worker_id w) const = 0;

  /// Workers of a service, idle and busy; 0 for a name nobody serves. Defines nothing.
  virtual std::size_t workers_of(std::string_view service) const = 0;

  /// A frame of the dialect's own, at once: heartbeat, DISCONNECT, an answer to mmi.service.
  virtual void send(peer_id to, buffer_ref envelope) = 0;
  virtual void count_bad_frame() = 0;
  virtual instant now() const = 0;
};

class dialect {
 public:
  virtual ~dialect() = default;

  /// A frame through this dialect's door.
  virtual void on_frame(const frame_in& frame) = 0;
  virtual void on_peer_lost(peer_id peer) = 0;
  virtual void on_tick() = 0;
  virtual std::uint64_t next_deadline() const = 0;  ///< monotonic; never_ns = none

  /// The envelope of a request to `worker`; the request's own parts follow it. Asked for when the
  /// core dispatches.
  virtual buffer_ref request_envelope(peer_id worker, const dispatch_id& id) = 0;
  /// The worker ran out of time: its request went to another. It is busy until it replies (late)
  /// or the dialect calls worker_gone, which it may do here.
  virtual void on_overdue(worker_id worker, peer_id peer) = 0;
};

// Made by make_plain_peers (plain_peers.hpp), make_ready_workers (ready_workers.hpp) and
// make_mdp(exchange&, const reqrep_options&) (mdp.hpp); the channel owns one of each.

}  // namespace holdfast
