// message_reader: receives plain messages to be looked at and packed at once: the ZeroMQ message
// objects are reused, so a small message costs no allocation.
//
// Contract: views are valid until the next receive(). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/coding.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

class message_reader {
 public:
  /// A message of more parts or more bytes in sum is read, thrown away and answered `too_large`.
  message_reader(std::uint64_t bytes_max, std::size_t parts_max);
  ~message_reader();
  message_reader(const message_reader&) = delete;
  message_reader& operator=(const message_reader&) = delete;

  io receive(socket& from);
  std::span<const bytes_view> parts() const noexcept { return parts_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  struct messages;
  std::unique_ptr<messages> messages_;
  std::vector<bytes_view> parts_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_max_;
  std::size_t parts_max_;
};

}  // namespace holdfast
