#include "devices/endpoints/line.hpp"

#include "devices/endpoints/socket_line.hpp"
#include "devices/endpoints/wire_line.hpp"

namespace holdfast {

result<std::unique_ptr<line>> line::open(const context& in, const endpoint& to,
                                         std::uint64_t max_message) {
  // "tcp://SOURCE;HOST:PORT" is libzmq's own.
  const bool own =
      to.transport != endpoint_transport::inproc && to.address.find(';') == std::string::npos;
  if (own) return std::unique_ptr<line>(std::make_unique<wire_line>(to.address, max_message));
  return socket_line::open(in, to, max_message);
}

}  // namespace holdfast
