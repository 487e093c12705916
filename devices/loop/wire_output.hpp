// wire_output: a bound PUSH that writes to its peers' connections itself: what leaves in a turn is
// one system call a connection, large parts from where they lie, no thread between.
//
// Contract: output_port's. A peer is introduced when its handshake is done. One that breaks the
// protocol, or cannot be served, loses its connection and is told of in the log; a TCP peer whose
// host has answered nothing for half a minute is lost.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "devices/loop/output_port.hpp"
#include "devices/loop/wire_peer.hpp"

namespace holdfast {

class wire_output final : public output_port {
 public:
  static result<std::unique_ptr<output_port>> open(const endpoint& where, output_terms terms,
                                                   peer_id& next_peer);
  wire_output(output_terms terms, wire_door door, peer_id& next_peer);

  void start(engine& to, stream_id stream, instant at) override;
  bool reap(engine& to) override;
  bool pump(engine& to, instant at) override;
  bool busy() const noexcept override;
  std::uint64_t next_deadline() const noexcept override;
  void add_to(poller& p) override { door_.add_to(p); }
  void take_poll(const poller& p, engine&) override { door_.take_poll(p); }
  void close(int linger_ms) noexcept override;
  std::size_t peers() const noexcept override;

 private:
  void look_around(engine& to);
  void admit(wire_door::arrival& one);
  void listen_to(output_link& link, bool ending);
  void join(output_link& link, engine& to);
  void lose(output_link& link, engine& to);
  void look_after_links();

  wire_door door_;
  std::unordered_map<std::uint64_t, std::unique_ptr<output_link>> links_;  // by number
  std::vector<std::unique_ptr<wire_peer>> peers_;  // shared: one, for all connections
  std::uint64_t next_check_ns_ = 0;
};

}  // namespace holdfast
