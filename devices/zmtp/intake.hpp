// intake: what one peer says, as its opposite (zmtp::role) reads it: greeting, handshake, messages.
// A PULL says nothing more once it is ready, but pings.
//
// Contract: sans-IO, one thread. look_at() is given the bytes that were received and not consumed
// yet, from the same first byte on until some are consumed; a message's parts are views into them.
// A message is looked at as a whole: wanted() says how many bytes must stand together for that. One
// beyond `bytes_max` or `parts_max` is consumed piece by piece and answered `dropped`; a part
// beyond `part_max` ends the connection, as does whatever breaks the protocol: failure() says what.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "devices/zmtp/wire.hpp"

namespace holdfast::zmtp {

struct intake_limits {
  std::uint64_t bytes_max = 0;  ///< of a message
  std::size_t parts_max = 0;
  std::uint64_t part_max = 0;  ///< of a part, the connection's end beyond it
};

enum class seen : std::uint8_t {
  incomplete,  ///< nothing more without more bytes
  progress,    ///< consumed something that is no message
  message,     ///< parts() is one; consumed with it
  dropped,     ///< the last piece of a message that is too large
  failed,
};

class intake {
 public:
  intake(const role& as, const intake_limits& limits)
      : as_(as), limits_(limits), to_send_(signature()) {}

  /// `consumed`: bytes at the front that are done with; parts stay where they are.
  seen look_at(bytes_view received, std::size_t& consumed);
  /// Of the last message.
  std::span<const bytes_view> parts() const noexcept { return parts_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Bytes that must stand together before look_at() gets on; 0: any more.
  std::uint64_t wanted() const noexcept { return wanted_; }

  /// The handshake is done.
  bool ready() const noexcept { return phase_ == phase::traffic; }
  /// The time to shake hands is over: a failure, unless that is done.
  void expire();
  /// What the peer is to be sent, cleared by the caller.
  std::vector<std::byte>& to_send() noexcept { return to_send_; }
  const std::string& failure() const noexcept { return failure_; }

 private:
  enum class phase : std::uint8_t {
    signature,
    revision,
    greeting,
    old_greeting,
    identity,
    handshake,
    traffic,
    failed
  };
  struct place {
    std::size_t at = 0, size = 0;
  };

  seen greet(bytes_view received, std::size_t& consumed);
  seen settle_version(bytes_view received, std::size_t& consumed);
  seen end_greeting(bytes_view received, std::size_t& consumed);
  seen end_old_greeting(bytes_view received, std::size_t& consumed);
  seen pass_identity(bytes_view received, std::size_t& consumed);
  seen shake_hands(bytes_view received, std::size_t& consumed);
  seen take_ready(const command& said);
  seen read_message(bytes_view received, std::size_t& consumed);
  seen read_command(const frame_head& head, bytes_view received, std::size_t& consumed);
  seen read_part(const frame_head& head, bytes_view received, std::size_t& consumed);
  seen begin_to_pass(const frame_head& head, std::size_t& consumed);
  seen pass_over(bytes_view received, std::size_t& consumed);
  seen hand_out(bytes_view received, std::size_t& consumed);
  seen want(std::uint64_t bytes) noexcept {
    wanted_ = bytes;
    return seen::incomplete;
  }
  seen fail(std::string why);
  void send(const std::vector<std::byte>& more) {
    to_send_.insert(to_send_.end(), more.begin(), more.end());
  }

  role as_;
  intake_limits limits_;
  phase phase_ = phase::signature;
  // Of the message at the front: what was looked at, its parts so far, and their bytes.
  std::size_t scanned_ = 0;
  std::vector<place> places_;
  std::uint64_t gathered_ = 0, between_ = 0;  // and of the commands between them
  // Of one that is dropped: what is to come of a part, and whether that is its last.
  bool dropping_ = false, last_passes_ = false;
  std::uint64_t pass_ = 0;
  // What the last call found.
  std::vector<bytes_view> parts_;
  std::uint64_t bytes_ = 0, wanted_ = 0;
  std::vector<std::byte> to_send_;
  std::string failure_;
};

}  // namespace holdfast::zmtp
