// input_port: a PULL facing plain PUSH peers, or a SUB of everything facing publishers: receives a
// bounded batch a turn and packs it.
//
// Contract: one thread. It is paused by not being asked; then its peers feel the back-pressure
// through RCVHWM. A message beyond max_message is read, thrown away and counted; a part beyond four
// times that (at least 16 MiB, at most 1 GiB) costs its sender the connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "devices/device_options.hpp"
#include "devices/loop/engine.hpp"
#include "devices/loop/plain_packer.hpp"
#include "devices/transport/message_reader.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

class input_port {
 public:
  static constexpr std::uint64_t batch_messages = 4096;
  static constexpr std::uint64_t batch_bytes = 1 << 20;

  static result<std::unique_ptr<input_port>> open(const context& in, const plain_input& options,
                                                  socket_kind kind, std::uint32_t channel,
                                                  std::uint64_t max_message);
  void set_stream(stream_id stream) noexcept { packer_.set_stream(stream); }
  /// Receives and gives to the engine at most a batch, never more than `room` bytes of messages.
  /// False when the socket failed.
  bool receive(engine& to, std::uint64_t room, instant at);
  /// A message was received that is larger than the room there was: it goes first, once there is.
  bool waiting() const noexcept { return waiting_; }

  /// No new connections; what those that are there have sent can still be received.
  void stop_accepting() {
    if (where_.binds()) static_cast<void>(socket_.unbind(socket_.last_endpoint()));
  }

  std::uint32_t channel() const noexcept { return channel_; }
  const socket& raw() const noexcept { return socket_; }
  const endpoint& where() const noexcept { return where_; }
  std::string actual() const { return where_.binds() ? socket_.last_endpoint() : where_.address; }
  bool drained() const noexcept { return drained_; }
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t too_large() const noexcept { return too_large_; }

  input_port(std::uint32_t channel, std::uint64_t max_message);

 private:
  socket socket_;
  endpoint where_;
  std::uint32_t channel_;
  std::unique_ptr<message_reader> reader_;
  plain_packer packer_;
  bool drained_ = true, waiting_ = false;
  std::uint64_t messages_ = 0, bytes_ = 0, too_large_ = 0;
};

}  // namespace holdfast
