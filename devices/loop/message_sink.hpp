// message_sink: where a plain peer's messages go, one after the other.
#pragma once

#include <cstdint>
#include <span>

#include "devices/transport/socket.hpp"

namespace holdfast {

class message_sink {
 public:
  virtual ~message_sink() = default;
  /// io::would_block: not now, the same message again later. `before`: entries of the queue that
  /// precede it.
  virtual io take(std::span<const part_out> parts, std::uint64_t before) = 0;
};

}  // namespace holdfast
