// message_buffer: a received ZeroMQ message as a buffer, so that what came from a socket goes to
// the disk and to other sockets without a copy. For the files of this folder alone: it shows
// zmq.hpp.
//
// Contract: the bytes are libzmq's; the last reference closes the message, on any thread. forward()
// is for the loop's thread alone (libzmq marks the original as shared).
#pragma once

#include <zmq.hpp>

#include "base/buffer.hpp"

namespace holdfast {

class message_buffer final : public buffer {
 public:
  explicit message_buffer(zmq::message_t&& from) noexcept
      : buffer(kind::zmq_message), message_(std::move(from)) {
    bytes_ = as_bytes_view(message_.data(), message_.size());
  }
  /// Makes `into` share this message's content.
  void forward(zmq::message_t& into) { into.copy(message_); }

 private:
  zmq::message_t message_;
};

}  // namespace holdfast
