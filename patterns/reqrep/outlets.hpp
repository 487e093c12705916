// outlets: the ways stored replies leave: one for each requester's session and service, one for
// each foreign connection. In order, one run at a time each, within the requester's credit.
//
// Contract: sans-IO, one thread. An outlet names replies by service and sequence; what was closed
// or expired meanwhile is passed over. A foreign connection's outlet is there while it has replies.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "patterns/reqrep/service.hpp"
#include "patterns/session/sessions.hpp"

namespace holdfast {

class outlets {
 public:
  explicit outlets(outgoing& out) : out_(out) {}

  /// A requester wants its replies of this service: all that are there, and those to come.
  void attach(const session& s, service& of);
  bool attached(std::uint32_t session, stream_id replies) const noexcept {
    return by_session_.contains({session, replies});
  }
  void credit(std::uint32_t session, const credit& f);
  void leave(std::uint32_t session);
  /// A foreign connection is gone: what waited for it has no address any more.
  void lost(peer_id peer);

  /// A durable reply, or one that is wanted again. False: nobody is there to take it.
  bool offer(service& of, std::uint64_t sequence, const reply_row& row);

  /// What became of a run.
  struct taken {
    service* of = nullptr;
    range left;
    bool foreign = false;
    range missing;  ///< cannot be read any more
  };
  bool awaits(const run& what) const;
  taken on_cut(const cut& what);
  void wake_stalled();
  /// Sends what can leave.
  void flush();

 private:
  using outlet_id = std::uint32_t;
  struct waiting {
    service* of = nullptr;
    std::uint64_t sequence = 0;
  };
  struct outlet {
    outlet_id id = 0;
    peer_id peer = 0;
    std::uint32_t session = 0;  // 0: foreign
    std::uint32_t client = 0;
    bool simple = false;
    std::uint64_t messages_total = 0, bytes_total = 0, messages_taken = 0, bytes_taken = 0;
    std::deque<waiting> line;
    service* open_of = nullptr;  // a run is under way
    range open;
    bool stalled = false, dirty = false;
  };
  using session_key = std::pair<std::uint32_t, stream_id>;

  outlet& make(peer_id peer);
  void mark(outlet& o);
  void send_next(outlet& o);
  void send_run(outlet& o, const reply_row& row);
  void drop(outlet_id id);

  outgoing& out_;
  std::unordered_map<outlet_id, outlet> all_;
  std::map<session_key, outlet_id> by_session_;                         // session, reply stream
  std::map<std::pair<std::uint32_t, stream_id>, outlet_id> by_client_;  // producer, reply stream
  std::unordered_map<peer_id, outlet_id> by_peer_;                      // foreign
  std::vector<outlet_id> dirty_, stalled_;
  outlet_id last_id_ = 0;
};

}  // namespace holdfast
