// output_terms: what the peers of one plain output have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "devices/device_options.hpp"
#include "devices/loop/transform.hpp"
#include "devices/transport/socket.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

struct output_terms {
  plain_output options;
  socket_kind kind = socket_kind::push;
  std::uint32_t channel = 0;
  stream_id stream = no_stream;
  std::uint64_t max_message = 256ull << 20;      ///< bytes; of what a peer says
  std::unique_ptr<message_transform> transform;  ///< null: messages leave as they came

  /// Every peer has a connection of its own.
  bool apart() const noexcept {
    return options.peers == plain_tracking::separate || options.peers == plain_tracking::ack_back;
  }
  /// Peers say something: subscriptions, replies.
  bool hears() const noexcept { return kind != socket_kind::push; }
  /// Messages of so many bytes that a peer may not have taken, unless it is found out. Well below
  /// the in-doubt bound: beside it there is what the peer's own queues hold, and a hand-off settles
  /// those before it beyond so many messages, and so many bytes.
  std::uint64_t ahead_max(std::uint64_t bytes_each) const noexcept {
    const std::uint64_t doubt = options.in_doubt_messages;
    const std::uint64_t small = options.in_doubt_bytes_min / 32 / bytes_each;
    return std::max(std::clamp<std::uint64_t>(doubt / 32, 1, 256), std::min(small, doubt / 4));
  }
};

}  // namespace holdfast
