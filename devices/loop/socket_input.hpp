// socket_input: an input that is a socket of libzmq: a PULL that connects to PUSH peers or stands
// in the process, or a SUB of everything facing publishers.
//
// Contract: input_port's. Paused, its peers feel the back-pressure through RCVHWM.
#pragma once

#include <memory>
#include <string>

#include "devices/loop/input_port.hpp"
#include "devices/transport/message_reader.hpp"

namespace holdfast {

class socket_input final : public input_port {
 public:
  static result<std::unique_ptr<input_port>> open(const context& in, const endpoint& where,
                                                  const plain_input& options, socket_kind kind,
                                                  std::uint32_t channel, std::uint64_t max_message);
  socket_input(std::uint32_t channel, std::uint64_t max_message, endpoint where);

  void add_to(poller& waiting, bool takes) override { waiting.add(socket_, takes && !waiting_); }
  void take_poll(const poller&) override {}
  bool receive(engine& to, std::uint64_t room, instant at) override;
  void stop_accepting() override {
    if (where_.binds()) static_cast<void>(socket_.unbind(socket_.last_endpoint()));
  }
  std::string actual() const override {
    return where_.binds() ? socket_.last_endpoint() : where_.address;
  }

 private:
  socket socket_;
  endpoint where_;
  std::unique_ptr<message_reader> reader_;
};

}  // namespace holdfast
