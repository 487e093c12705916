// plain_peers: unmodified REQ and DEALER clients, and REP workers, of plain endpoints.
//
// Client: everything up to and with the first empty part is its address stack, and comes back
// before the reply: [''] of a REQ, [id, ''] of one that correlates; without an empty part there is
// none. What follows is the request, at least one part.
// REP worker: each is a peer of its own; it is sent [dispatch id, '', request...] and gives the two
// first parts back. It holds one request; while it is overdue it gets no other.
//
// Contract: a `dialect` (patterns/reqrep/dialect.hpp).
#pragma once

#include <unordered_map>

#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"
#include "patterns/reqrep/dialect.hpp"

namespace holdfast {

class plain_peers final : public dialect {
 public:
  /// Both outlive the dialect.
  plain_peers(exchange& core, const catalog& names) : core_(core), names_(names) {}

  void on_worker_joined(const plain_peer& peer);
  void on_frame(const frame_in& frame) override;
  void on_peer_lost(peer_id peer) override;
  void on_tick() override {}
  std::uint64_t next_deadline() const override { return never_ns; }
  buffer_ref request_envelope(peer_id worker, const dispatch_id& id) override;
  void on_overdue(worker_id, peer_id) override {}

 private:
  void on_client(const frame_in& frame);
  void on_reply(worker_id worker, const frame_in& frame);

  exchange& core_;
  const catalog& names_;
  std::unordered_map<peer_id, worker_id> workers_;
};

/// The frame's parts, the first included.
std::vector<buffer_ref> all_parts(const frame_in& frame);

}  // namespace holdfast
