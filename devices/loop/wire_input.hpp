// wire_input: a bound PULL for plain PUSH peers that reads their connections itself, as ZMTP lies
// on the wire: many messages in one system call, each copied once, into its block. What libzmq
// would hold between its threads is not there: what is unread is in the kernel.
//
// Contract: input_port's. Peers take turns, a read each. Paused, its peers feel the back-pressure
// through their connection; a peer that sends nothing but pings is answered still. A peer that
// breaks the protocol, or cannot be served, loses its connection and is told of in the log.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "devices/loop/input_port.hpp"
#include "devices/loop/wire_door.hpp"
#include "devices/zmtp/connection.hpp"

namespace holdfast {

class wire_input final : public input_port {
 public:
  static result<std::unique_ptr<input_port>> open(const endpoint& where, std::uint32_t channel,
                                                  std::uint64_t max_message);
  wire_input(std::uint32_t channel, std::uint64_t max_message, wire_door door);

  void add_to(poller& waiting, bool) override { door_.add_to(waiting); }
  void take_poll(const poller& waiting) override { door_.take_poll(waiting); }
  bool receive(engine& to, std::uint64_t room, instant at) override;
  void keep_up(instant at) override;
  void stop_accepting() override { door_.close(); }
  std::string actual() const override { return door_.actual(); }
  std::uint64_t next_deadline() const noexcept override { return door_.next_deadline(); }
  std::uint64_t read_ahead_bytes() const noexcept override { return zmtp::read_bytes_max; }

 private:
  struct peer {
    zmtp::connection wire;
    bool listed = false;   // in ready_
    bool pending = false;  // its last message was read, and waits for room
  };
  enum class outcome : std::uint8_t { more, nothing, no_room, gone };

  void look_around(std::uint64_t now_ns);
  void admit(wire_door::arrival& one);
  outcome take_turn(peer& one, std::uint64_t room, std::uint64_t time_ns);
  outcome take_messages(peer& one, std::uint64_t room, std::uint64_t time_ns);
  void pack(zmtp::connection& from, std::uint64_t time_ns);
  void hold_all(std::uint64_t now_ns);
  outcome hold(peer& one);
  void forget(std::uint64_t number, std::uint64_t now_ns);
  bool full(std::uint64_t room) const noexcept;

  zmtp::intake_limits limits_;
  wire_door door_;
  std::unordered_map<std::uint64_t, peer> peers_;
  std::deque<std::uint64_t> ready_;  // those that may have something, in turn
};

}  // namespace holdfast
