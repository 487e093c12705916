#include "devices/loop/input_port.hpp"

#include <algorithm>

#include "devices/loop/socket_input.hpp"
#include "devices/loop/wire_input.hpp"

namespace holdfast {

std::uint64_t part_limit(std::uint64_t max_message) noexcept {
  return std::min<std::uint64_t>(std::max<std::uint64_t>(4 * max_message, 16 << 20),
                                 part_bytes_max);
}

result<std::unique_ptr<input_port>> input_port::open(const context& in, const plain_input& options,
                                                     socket_kind kind, std::uint32_t channel,
                                                     std::uint64_t max_message) {
  auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  if (!where) return where.take_status();
  const bool own = where->binds() && where->transport != endpoint_transport::inproc &&
                   kind == socket_kind::pull && !options.subscribes;
  if (own) return wire_input::open(*where, channel, max_message);
  return socket_input::open(in, *where, options, kind, channel, max_message);
}

void input_port::give(engine& to) {
  messages_ += packer_.held_messages();
  bytes_ += packer_.held_bytes();
  if (packer_.held_messages() == 0) return;
  to.on_plain(channel_, packer_.take());
  packer_.clear();
}

}  // namespace holdfast
