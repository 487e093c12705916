// output_port: one plain output of a channel and the peers behind it. A bound PUSH writes to its
// peers' connections itself (wire_output); all others are sockets of libzmq (socket_output).
//
// Contract: one thread. A shared PUSH that takes nothing for recall_ns gives back what its local
// queue holds: its peer is lost and comes again under a new number, so that messages never wait for
// nobody. A durable output takes one peer at a time; another is turned away until the first is
// gone.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "devices/gate/gate.hpp"
#include "devices/loop/outlet.hpp"
#include "devices/loop/output_terms.hpp"
#include "devices/transport/endpoint.hpp"
#include "devices/transport/poller.hpp"

namespace holdfast {

class engine;
class output_peer;

class output_port {
 public:
  /// `number` is this port's among the device's; it is the gate's cookie. `through` is null where
  /// no port needs a gate. `next_peer`: of all ports, outlives them.
  static result<std::unique_ptr<output_port>> open(const context& in, const plain_output& options,
                                                   socket_kind kind, std::uint32_t channel,
                                                   std::uint64_t max_message, std::uint64_t number,
                                                   gate* through, peer_id& next_peer);
  static bool needs_gate(const plain_output& options, socket_kind kind);

  output_port(output_terms terms, peer_id& next_peer)
      : terms_(std::move(terms)), next_peer_(&next_peer) {}
  virtual ~output_port() = default;
  output_port(const output_port&) = delete;
  output_port& operator=(const output_port&) = delete;

  virtual void start(engine& to, stream_id stream, instant at) = 0;
  virtual void on_gate(const gate_event&, engine&) {}
  virtual void on_links(engine&) {}

  /// The peer is one of this port's: takes the delivery.
  bool deliver(peer_id to, const plain_delivery& what);
  /// Likewise one raw multipart, at once.
  virtual bool send(peer_id, std::span<const part_out>) { return false; }
  /// Takes in what peers say. True if there may be more.
  virtual bool hear(engine&) { return false; }
  /// Reports peers that a send found gone. True if there were any.
  virtual bool reap(engine&) = 0;
  /// Hands over what can be handed over, reports changes. True if anything was reported.
  virtual bool pump(engine& to, instant at) = 0;
  /// True when a peer has something to hand over that would be taken.
  virtual bool busy() const noexcept = 0;
  virtual std::uint64_t next_deadline() const noexcept = 0;

  /// Adds what must be polled; afterwards take_poll() reads the outcome from the same place.
  virtual void add_to(poller& p) = 0;
  virtual bool linked(const poller&) const noexcept { return false; }
  virtual void take_poll(const poller& p, engine& to) = 0;
  /// Closes everything, given so long to hand over what counts as handed.
  virtual void close(int linger_ms) noexcept = 0;
  virtual std::size_t peers() const noexcept = 0;

  std::uint32_t channel() const noexcept { return terms_.channel; }
  const std::string& actual() const noexcept { return actual_; }
  const plain_output& options() const noexcept { return terms_.options; }
  /// Null where messages leave as they came.
  const message_transform* transform() const noexcept { return terms_.transform.get(); }

 protected:
  /// Makes it known under the next number, once more perhaps.
  void introduce(output_peer& peer, engine& to);
  /// The pattern hears the last of it.
  void retire(output_peer& peer, engine& to);
  /// pump() of one; a stuck one's local queue goes back to the pattern, where others may take it.
  bool pump_peer(output_peer& peer, engine& to);
  /// Null: it is not one of this port's that are known.
  output_peer* find(peer_id number) const;

  output_terms terms_;  // outlives the peers
  std::string actual_;  // where it stands, with the port the system chose
  std::uint64_t now_ns_ = 0;

 private:
  peer_id* next_peer_;
  std::unordered_map<peer_id, output_peer*> by_number_;
};

}  // namespace holdfast
