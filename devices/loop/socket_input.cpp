#include "devices/loop/socket_input.hpp"

#include <algorithm>

namespace holdfast {

socket_input::socket_input(std::uint32_t channel, std::uint64_t max_message, endpoint where)
    : input_port(channel),
      where_(std::move(where)),
      reader_(std::make_unique<message_reader>(max_message, parts_max)) {}

result<std::unique_ptr<input_port>> socket_input::open(const context& in, const endpoint& where,
                                                       const plain_input& options, socket_kind kind,
                                                       std::uint32_t channel,
                                                       std::uint64_t max_message) {
  socket_options o;
  o.receive_hwm = static_cast<int>(options.receive_hwm_messages);
  o.max_part = static_cast<std::int64_t>(part_limit(max_message));
  auto opened = socket::open(in, options.subscribes ? socket_kind::sub : kind, o);
  if (!opened) return opened.take_status();
  auto made = std::make_unique<socket_input>(channel, max_message, where);
  made->socket_ = std::move(*opened);
  if (status outcome = made->socket_.attach(where); !outcome) return outcome;
  return std::unique_ptr<input_port>(std::move(made));
}

bool socket_input::receive(engine& to, std::uint64_t room, instant at) {
  const std::uint64_t bytes_max = std::min(room, batch_bytes);
  drained_ = false;
  io outcome = io::done;
  std::uint64_t tries = 0;
  while (packer_.held_bytes() < bytes_max && tries++ < batch_messages) {
    outcome = waiting_ ? io::done : reader_->receive(socket_);
    if (outcome == io::too_large) ++too_large_;
    if (outcome == io::would_block || outcome == io::failed) break;
    if (outcome != io::done) continue;
    waiting_ = !fits(reader_->bytes(), room);
    if (waiting_) break;
    packer_.add(reader_->parts(), reader_->bytes(), at.real_ns);
  }
  drained_ = waiting_ || outcome == io::would_block;
  give(to);
  return outcome != io::failed;
}

}  // namespace holdfast
