// socket_output: a plain output on sockets of libzmq. `separate` and `ack_back`: a socket a peer,
// through the gate where the endpoint is bound, else one connection watched by a monitor. Shared:
// one socket, one peer for all.
//
// Contract: output_port's. A worker (dealer) is introduced when its handshake is done, the others
// when they connect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "devices/loop/output_port.hpp"
#include "devices/loop/socket_peer.hpp"
#include "devices/transport/monitor.hpp"

namespace holdfast {

class socket_output final : public output_port {
 public:
  static result<std::unique_ptr<output_port>> open(const context& in, const endpoint& where,
                                                   output_terms terms, std::uint64_t number,
                                                   gate* doors, peer_id& next_peer);
  socket_output(const context& in, const endpoint& where, output_terms terms, gate* doors,
                peer_id& next_peer);

  void start(engine& to, stream_id stream, instant at) override;
  void on_gate(const gate_event& event, engine& to) override;
  void on_links(engine& to) override;
  bool send(peer_id to, std::span<const part_out> parts) override;
  bool hear(engine& to) override;
  bool reap(engine& to) override;
  bool pump(engine& to, instant at) override;
  bool busy() const noexcept override;
  std::uint64_t next_deadline() const noexcept override;
  void add_to(poller& p) override;
  bool linked(const poller& p) const noexcept override {
    return monitor_.channel() && p.readable(monitor_index_);
  }
  void take_poll(const poller& p, engine& to) override;
  void close(int linger_ms) noexcept override;
  std::size_t peers() const noexcept override { return peers_.size(); }

 private:
  result<socket> open_socket(bool own_process_only) const;
  status bind_or_connect(std::uint64_t number);
  std::unique_ptr<socket_peer> on_common();
  void join(engine& to, std::unique_ptr<socket_peer> joining);
  void lose(std::size_t index, engine& to);

  const context* context_;
  endpoint where_;
  gate* doors_;    // null: no peer is behind the gate
  socket common_;  // shared, ack_back, or separate and connected
  std::vector<std::unique_ptr<socket_peer>> peers_;
  monitor monitor_;
  std::size_t monitor_index_ = 0;
  std::vector<link_event> links_;
};

}  // namespace holdfast
