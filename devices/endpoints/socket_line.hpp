// socket_line: a line that is a DEALER of libzmq, which reconnects by itself.
//
// Contract: line's. Frames queue until the connection is there: what they may hold is bounded by
// the window.
#pragma once

#include <memory>

#include "devices/endpoints/line.hpp"

namespace holdfast {

class socket_line final : public line {
 public:
  static result<std::unique_ptr<line>> open(const context& in, const endpoint& to,
                                            std::uint64_t max_message);
  socket_line(socket opened, std::uint64_t max_message)
      : socket_(std::move(opened)), bytes_max_(max_message * 2) {}

  int fd() const noexcept override { return socket_.fd(); }
  outcome send(std::span<const part_out> parts) override { return socket_.send(parts); }
  outcome receive(std::vector<buffer_ref>& parts) override {
    return socket_.receive(parts, bytes_max_);
  }
  socket::readiness untold() const noexcept override { return socket_.events(); }
  void linger(int ms) noexcept override { socket_.set_linger(ms); }

 private:
  socket socket_;
  std::uint64_t bytes_max_;
};

}  // namespace holdfast
