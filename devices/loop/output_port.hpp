// output_port: one plain output of a channel and the peers behind it. `separate` and `ack_back`: a
// socket a peer, through the gate where the endpoint is bound, else one connection watched by a
// monitor. Shared: one socket, one peer for all.
//
// Contract: one thread. A shared PUSH that takes nothing for recall_ns gives back what its local
// queue holds: its peer is lost and comes again under a new number, so that messages never wait for
// nobody. A worker (dealer) is introduced when its handshake is done, the others when they connect.
// A durable output takes one peer at a time; another is turned away until the first is gone.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "devices/loop/output_peer.hpp"
#include "devices/transport/monitor.hpp"

namespace holdfast {

class output_port {
 public:
  /// `number` is this port's among the device's; it is the gate's cookie. `through` is null where
  /// no port needs a gate.
  static result<std::unique_ptr<output_port>> open(const context& in, const plain_output& options,
                                                   socket_kind kind, std::uint32_t channel,
                                                   std::uint64_t max_message, std::uint64_t number,
                                                   gate* through, peer_id& next_peer);
  static bool needs_gate(const plain_output& options);

  void start(engine& to, stream_id stream, instant at);
  void on_gate(const gate_event& event, engine& to);
  void on_links(engine& to);

  /// The peer is one of this port's: takes the delivery.
  bool deliver(peer_id to, const plain_delivery& what);
  /// Likewise one raw multipart, at once.
  bool send(peer_id to, std::span<const part_out> parts);
  /// Takes in what peers say. True if there may be more.
  bool hear(engine& to);
  /// Reports peers that a send found gone. True if there were any.
  bool reap(engine& to);
  /// Hands over what can be handed over, reports changes. True if anything was reported.
  bool pump(engine& to, instant at);
  /// True when a peer has something to hand over that libzmq would take.
  bool busy() const noexcept;
  std::uint64_t next_deadline() const noexcept;

  /// Adds what must be polled; afterwards take_poll() reads the outcome from the same place.
  bool linked(const poller& p) const noexcept {
    return monitor_.channel() && p.readable(monitor_index_);
  }
  void add_to(poller& p);
  void take_poll(const poller& p, engine& to);
  /// Closes every socket, giving libzmq so long to hand over what it has.
  void close(int linger_ms) noexcept;

  std::uint32_t channel() const noexcept { return terms_.channel; }
  std::string actual() const { return actual_; }
  const plain_output& options() const noexcept { return terms_.options; }
  std::size_t peers() const noexcept { return peers_.size(); }
  /// Null where messages leave as they came.
  const message_transform* transform() const noexcept { return terms_.transform.get(); }

 private:
  result<socket> open_socket(bool own_process_only) const;
  status bind_or_connect(std::uint64_t number);
  void join(engine& to, std::unique_ptr<output_peer> joining);
  void introduce(output_peer& peer, engine& to);
  void lose(std::size_t index, engine& to);
  void recall(output_peer& from, engine& to);

  const context* context_ = nullptr;
  endpoint where_;
  std::string actual_;
  output_terms terms_;  // outlives the peers
  peer_id* next_peer_ = nullptr;
  std::uint64_t now_ns_ = 0;
  socket common_;  ///< shared, ack_back, or separate and connected
  std::vector<std::unique_ptr<output_peer>> peers_;
  std::unordered_map<peer_id, output_peer*> by_number_;
  monitor monitor_;
  std::size_t monitor_index_ = 0;
  std::vector<link_event> links_;
};

}  // namespace holdfast
