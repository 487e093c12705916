#include "devices/loop/input_port.hpp"

#include <algorithm>

namespace holdfast {
namespace {

/// libzmq cuts the connection of a peer that sends a larger part, and what is under way behind it
/// is gone; up to here the message is thrown away alone, and counted. Bounds what one absurd length
/// may make a device hold.
std::int64_t part_limit(std::uint64_t max_message) noexcept {
  const std::uint64_t wanted = std::max<std::uint64_t>(4 * max_message, 16 << 20);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(wanted, part_bytes_max));
}

}  // namespace

input_port::input_port(std::uint32_t channel, std::uint64_t max_message)
    : channel_(channel), reader_(std::make_unique<message_reader>(max_message, parts_max)) {}

result<std::unique_ptr<input_port>> input_port::open(const context& in, const plain_input& options,
                                                     socket_kind kind, std::uint32_t channel,
                                                     std::uint64_t max_message) {
  auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  if (!where) return where.take_status();
  socket_options o;
  o.receive_hwm = static_cast<int>(options.receive_hwm_messages);
  o.max_part = part_limit(max_message);
  auto opened = socket::open(in, options.subscribes ? socket_kind::sub : kind, o);
  if (!opened) return opened.take_status();
  auto made = std::make_unique<input_port>(channel, max_message);
  made->socket_ = std::move(*opened);
  made->where_ = std::move(*where);
  if (status outcome = made->socket_.attach(made->where_); !outcome) return outcome;
  return made;
}

bool input_port::receive(engine& to, std::uint64_t room, instant at) {
  const std::uint64_t bytes_max = std::min(room, batch_bytes);
  drained_ = false;
  io outcome = io::done;
  std::uint64_t tries = 0;
  while (packer_.held_bytes() < bytes_max && tries++ < batch_messages) {
    outcome = waiting_ ? io::done : reader_->receive(socket_);
    if (outcome == io::too_large) ++too_large_;
    if (outcome == io::would_block || outcome == io::failed) break;
    if (outcome != io::done) continue;
    waiting_ = packer_.held_bytes() + reader_->bytes() > room;
    if (waiting_) break;
    packer_.add(reader_->parts(), reader_->bytes(), at.real_ns);
  }
  drained_ = waiting_ || outcome == io::would_block;
  messages_ += packer_.held_messages();
  bytes_ += packer_.held_bytes();
  if (packer_.held_messages() > 0) {
    to.on_plain(channel_, packer_.take());
    packer_.clear();
  }
  return outcome != io::failed;
}

}  // namespace holdfast
