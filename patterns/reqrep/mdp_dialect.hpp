// mdp_dialect: the broker of Majordomo 7/MDP 0.1 and 8/MMI: who its workers are, that they live,
// and what its clients want.
//
// Contract: a `dialect` (patterns/reqrep/dialect.hpp). A worker is idle or busy; it is thrown out
// (DISCONNECT, and its request goes to another) for a second READY, a command that is unknown or
// out of place, a reply to nothing or to another client, and once its time ran out. Whoever is no
// worker and speaks like one gets DISCONNECT at once: after a restart of the device it says READY
// again. Everything else that is no frame of the protocol is dropped and counted. Memory: a row a
// worker, `workers_max` at most. Source: docs/guarantees.md#majordomo.
#pragma once

#include <set>
#include <unordered_map>

#include "patterns/reqrep/dialect.hpp"
#include "patterns/reqrep/mdp_frames.hpp"
#include "patterns/reqrep/mdp_liveness.hpp"

namespace holdfast {

struct mdp_options {
  std::uint64_t heartbeat_ns = 2500 * ms_ns;  ///< also to busy workers
  std::uint32_t liveness = 4;                 ///< missed ones, of an idle worker
  std::uint64_t busy_ns = 900 * second_ns;    ///< a worker is given so long for a request
  std::uint32_t workers_max = 10'000;
};

/// Checks that a test takes out one by one, to see that they are missed. Never set in use.
struct mdp_planted {
  bool any_client = false;    ///< a reply may name any client
  bool enlist_twice = false;  ///< a second READY is taken as a first
  bool serve_mmi = false;     ///< workers may serve mmi.*
};

class mdp_dialect final : public dialect {
 public:
  /// `core` outlives the dialect.
  mdp_dialect(mdp_options options, exchange& core, mdp_planted planted = {});

  void on_frame(const frame_in& frame) override;
  void on_peer_lost(peer_id peer) override;
  void on_tick() override;
  std::uint64_t next_deadline() const override {
    return planned_.empty() ? never_ns : planned_.begin()->first;
  }
  buffer_ref request_envelope(peer_id worker, const dispatch_id& id) override;
  void on_overdue(worker_id worker, peer_id peer) override;

  std::size_t workers() const noexcept { return workers_.size(); }

 private:
  struct row {
    worker_id id = 0;
    mdp_liveness life;
    std::uint64_t planned_ns = never_ns;
  };

  void on_client(const frame_in& frame, const mdp_frame& f);
  void on_mmi(const frame_in& frame, const mdp_frame& f);
  void on_worker(peer_id peer, row* worker, const mdp_frame& f);
  void on_ready(peer_id peer, row* worker, const mdp_frame& f);
  void on_reply(peer_id peer, row& worker, const mdp_frame& f);
  void throw_out(peer_id peer);
  void forget(peer_id peer);
  void disconnect(peer_id peer) { core_.send(peer, mdp_control(mdp_command::disconnect)); }
  void plan(peer_id peer, row& worker);
  std::uint64_t now_ns() const { return core_.now().now_ns; }

  mdp_options options_;
  exchange& core_;
  mdp_planted planted_;
  std::unordered_map<peer_id, row> workers_;
  std::set<std::pair<std::uint64_t, peer_id>> planned_;  // when to look at a worker next
};

}  // namespace holdfast
