// wire_router: a bound ROUTER for reliable peers that reads and writes their connections itself, as
// ZMTP lies on the wire: a block is received into the memory it stays in, on its way to the journal
// and to consumers; what leaves in a turn is one system call a connection; no thread between.
//
// Contract: router_port's. Peers take turns, a read each. A peer is known from its first frame
// until its connection ends, which is reported at once. What it is owed is what its kernel has not
// taken. One that breaks the protocol, or cannot be served, loses its connection and is told of in
// the log.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "devices/loop/router_port.hpp"
#include "devices/loop/wire_link.hpp"

namespace holdfast {

class wire_router final : public router_port {
 public:
  static result<std::unique_ptr<router_port>> open(const endpoint& where, std::uint32_t channel,
                                                   const terms& bounds, peer_id& next_peer);
  wire_router(wire_door door, std::uint32_t channel, const terms& bounds, peer_id& next_peer);

  void add_to(poller& waiting, bool) override { door_.add_to(waiting); }
  void take_poll(const poller& waiting) override { door_.take_poll(waiting); }
  bool receive(engine& to, std::uint64_t room, instant at) override;
  void keep_up(instant at) override {
    look_around(at.now_ns);
    hung_up_ = false;  // receive() will see to it
  }
  bool knows(peer_id peer) const noexcept override { return by_peer_.contains(peer); }
  void send(peer_id to, std::span<const part_out> parts) override;
  void flush() override;
  std::uint64_t next_deadline() const noexcept override;
  void stop_accepting() override { door_.close(); }
  void close(int linger_ms) noexcept override;
  std::string actual() const override { return door_.actual(); }
  std::size_t peers() const noexcept override { return by_peer_.size(); }

 private:
  struct client : wire_link {
    peer_id id = 0;       // since its first frame
    bool listed = false;  // in ready_
    bool owed = false;    // in unsent_
    bool hung_up = false;
  };
  enum class outcome : std::uint8_t { more, nothing, gone };
  static constexpr unsigned looks_max = 256;

  void look_around(std::uint64_t now_ns);
  void admit(wire_door::arrival& one);
  outcome take_turn(client& one);
  outcome take_frames(client& one);
  void take_frame(client& one);
  void look_after_clients();
  void hang_up(client& one);
  void forget(std::uint64_t number);
  bool batch_full() const noexcept {
    return full() || taken_bytes_ >= batch_bytes || looks_ >= looks_max;
  }

  zmtp::intake_limits limits_;
  wire_door door_;
  peer_id* next_peer_;
  std::unordered_map<std::uint64_t, std::unique_ptr<client>> clients_;  // by number
  std::unordered_map<peer_id, client*> by_peer_;
  std::deque<std::uint64_t> ready_;  // those that may have something, in turn
  std::vector<peer_id> unsent_;
  std::uint64_t taken_bytes_ = 0;  // this turn
  unsigned looks_ = 0;             // this turn, also at what is no frame
  bool hung_up_ = false;           // one was, since receive()
  std::uint64_t now_ns_ = 0, next_look_ns_ = 0;
};

}  // namespace holdfast
