// outlet: where the engine's frames go: sockets in production, virtual connections in the
// simulator.
//
// Contract: called during a turn, in the order frames must leave for each peer. Nothing here waits
// or fails: what cannot be sent any more is lost, and the driver tells the engine with peer_lost()
// in a later turn.
#pragma once

#include <span>

#include "patterns/block.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// Part of a run for a plain peer: `count` entries, voids included, from `first` on.
struct plain_delivery {
  stream_id stream = no_stream;
  std::uint32_t stream_epoch = 0;  ///< ack_back only
  bool with_id = false;            ///< ack_back: each message gets its delivery id as a last part
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  buffer_ref body;
};

class outlet {
 public:
  virtual ~outlet() = default;
  /// One frame: a head, then `body` unless it is null. `head_owner` is null when the head's bytes
  /// lie outside a buffer and must be copied.
  virtual void send(peer_id to, bytes_view head, const buffer_ref* head_owner,
                    const buffer_ref& body) = 0;
  /// One simple-form delivery: a head, then the parts of `message`, which lies in `body`.
  virtual void send_simple(peer_id to, const buffer_ref& head, const entry& message,
                           const buffer_ref& body) = 0;
  /// One raw multipart: the parts of `envelope` (patterns/envelope.hpp), then, unless it is null,
  /// those of `message`, which lies in `body`, without the first `skip_parts`.
  virtual void send_enveloped(peer_id to, const buffer_ref& envelope, const entry* message,
                              const buffer_ref& body, std::size_t skip_parts) = 0;
  /// Messages for a plain peer's local queue (the pattern keeps within the room it reported).
  virtual void send_plain(peer_id to, const plain_delivery& what) = 0;
};

}  // namespace holdfast
