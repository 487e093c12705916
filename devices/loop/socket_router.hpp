// socket_router: a router_port that is a ROUTER of libzmq: for plain clients and workers, which
// libzmq bounds in messages, for endpoints that connect, and for inproc.
//
// Contract: router_port's. What a reliable peer is owed counts since it was heard last.
#pragma once

#include <memory>
#include <string>

#include "devices/loop/router_port.hpp"
#include "devices/transport/router.hpp"

namespace holdfast {

class socket_router final : public router_port {
 public:
  static result<std::unique_ptr<router_port>> open(const context& in, const endpoint& where,
                                                   std::uint32_t channel, const terms& bounds,
                                                   peer_id& next_peer);
  socket_router(router opened, endpoint where, std::uint32_t channel, const terms& bounds);

  void add_to(poller& waiting, bool takes) override;
  bool receive(engine& to, std::uint64_t room, instant at) override;
  bool knows(peer_id peer) const noexcept override { return router_.knows(peer); }
  void send(peer_id to, std::span<const part_out> parts) override;
  void stop_accepting() override;
  void close(int linger_ms) noexcept override;
  std::string actual() const override;
  std::size_t peers() const noexcept override { return router_.size(); }

 private:
  void take_displaced();

  router router_;
  endpoint where_;
  arrival held_;  // while waiting_
};

}  // namespace holdfast
