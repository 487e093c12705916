#include "devices/endpoints/socket_line.hpp"

#include <algorithm>

#include "patterns/block.hpp"

namespace holdfast {

result<std::unique_ptr<line>> socket_line::open(const context& in, const endpoint& to,
                                                std::uint64_t max_message) {
  socket_options options;
  options.immediate = false;
  options.send_hwm = 0;
  options.max_part = static_cast<std::int64_t>(
      std::min(max_message + block_bytes_max, message_bytes_hard_max * 2));
  auto made = socket::open(in, socket_kind::dealer, options);
  if (!made) return {errc::closed, std::string(made.text())};  // the context is closing
  if (status connected = made->attach(to); !connected) return connected;
  return std::unique_ptr<line>(std::make_unique<socket_line>(std::move(*made), max_message));
}

}  // namespace holdfast
