// ready_workers: workers that say they are there, on an endpoint of their own: the Paranoid Pirate
// protocol (6/PPP) and its simpler kin.
//
//   READY      one part, 0x01 or "READY"; in front of it '' if the worker is a REQ
//   HEARTBEAT  one part, 0x02, both ways
//   request    [dispatch id, '', request...]; a REQ's with '' in front
//   reply      the same two (or three) parts, then the reply
//
// Contract: a `dialect` (patterns/reqrep/dialect.hpp). A worker that sent a heartbeat is gone when
// it is idle and silent too long; one that never did is gone when its connection is, or when a
// request's time ran out. Both get heartbeats only if they send them. A reply of a worker nobody
// knows is late, and counts as READY.
#pragma once

#include <unordered_map>

#include "patterns/catalog.hpp"
#include "patterns/reqrep/dialect.hpp"

namespace holdfast {

struct ready_options {
  std::uint64_t heartbeat_ns = 2500 * ms_ns;
  std::uint32_t liveness = 4;  ///< missed ones
};

class ready_workers final : public dialect {
 public:
  ready_workers(ready_options options, exchange& core, const catalog& names)
      : options_(options), core_(core), names_(names) {}

  void on_frame(const frame_in& frame) override;
  void on_peer_lost(peer_id peer) override;
  void on_tick() override;
  std::uint64_t next_deadline() const override { return next_look_ns_; }
  buffer_ref request_envelope(peer_id worker, const dispatch_id& id) override;
  void on_overdue(worker_id worker, peer_id peer) override;

 private:
  struct row {
    worker_id id = 0;
    bool delimited = false, heartbeats = false, overdue = false;
    std::uint64_t heard_ns = 0;
  };
  row* on_ready(const frame_in& frame, bool delimited);
  void on_reply(row& worker, bytes_view id, std::span<const buffer_ref> body);
  void beat(peer_id peer, const row& worker);

  ready_options options_;
  exchange& core_;
  const catalog& names_;
  std::unordered_map<peer_id, row> workers_;
  std::uint64_t next_look_ns_ = never_ns;
};

}  // namespace holdfast
