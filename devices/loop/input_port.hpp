// input_port: an endpoint facing plain senders: takes a bounded batch a turn and packs it. A bound
// PULL reads its peers' connections itself (wire_input); all others are sockets of libzmq
// (socket_input).
//
// Contract: one thread. It is paused by not being asked; then its peers feel the back-pressure. A
// message beyond max_message is thrown away and counted; a part beyond four times that (at least
// 16 MiB, at most 1 GiB) costs its sender the connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "devices/device_options.hpp"
#include "devices/loop/engine.hpp"
#include "devices/loop/plain_packer.hpp"
#include "devices/transport/endpoint.hpp"
#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

class input_port {
 public:
  static constexpr std::uint64_t batch_messages = 4096;
  static constexpr std::uint64_t batch_bytes = 1 << 20;

  static result<std::unique_ptr<input_port>> open(const context& in, const plain_input& options,
                                                  socket_kind kind, std::uint32_t channel,
                                                  std::uint64_t max_message);
  explicit input_port(std::uint32_t channel) noexcept : channel_(channel) {}
  virtual ~input_port() = default;
  input_port(const input_port&) = delete;
  input_port& operator=(const input_port&) = delete;

  void set_stream(stream_id stream) noexcept { packer_.set_stream(stream); }
  /// Before a wait: what would end it, if it `takes` anything now.
  virtual void add_to(poller& waiting, bool takes) = 0;
  /// After it.
  virtual void take_poll(const poller& waiting) = 0;
  /// Receives and gives to the engine at most a batch, never more than `room` bytes of messages.
  /// False when the socket failed.
  virtual bool receive(engine& to, std::uint64_t room, instant at) = 0;
  /// Instead of receive(), while nothing may be taken: peers are answered, and kept.
  virtual void keep_up(instant) {}
  /// No new connections; what those that are there have sent can still be received.
  virtual void stop_accepting() = 0;
  /// Where it stands, with the port the system chose.
  virtual std::string actual() const = 0;
  /// Monotonic: when receive() should be called even if nothing comes.
  virtual std::uint64_t next_deadline() const noexcept { return never_ns; }
  /// Bytes of each peer that may be read and not stored yet; 0: messages are counted instead.
  virtual std::uint64_t read_ahead_bytes() const noexcept { return 0; }

  std::uint32_t channel() const noexcept { return channel_; }
  /// A message was received that is larger than the room there was: it goes first, once there is.
  bool waiting() const noexcept { return waiting_; }
  bool drained() const noexcept { return drained_; }
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t too_large() const noexcept { return too_large_; }

 protected:
  bool fits(std::uint64_t bytes, std::uint64_t room) const noexcept {
    return packer_.held_bytes() + bytes <= room;
  }
  /// Gives to the engine what was packed.
  void give(engine& to);

  plain_packer packer_;
  bool drained_ = true, waiting_ = false;
  std::uint64_t too_large_ = 0;

 private:
  std::uint32_t channel_;
  std::uint64_t messages_ = 0, bytes_ = 0;
};

/// The most bytes of a part: libzmq cuts the connection of a peer that sends more, and what is
/// under way behind it is gone; up to here the message is thrown away alone, and counted. Bounds
/// what one absurd length may make a device hold.
std::uint64_t part_limit(std::uint64_t max_message) noexcept;

}  // namespace holdfast
