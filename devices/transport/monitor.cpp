#include "devices/transport/monitor.hpp"

#include <atomic>
#include <utility>
#include <zmq.hpp>

namespace holdfast {
namespace {

std::string next_name() {
  static std::atomic<std::uint64_t> serial{0};
  return "inproc://holdfast.monitor." + std::to_string(serial.fetch_add(1));
}

}  // namespace

// A handshake that succeeded, not the TCP connection alone, makes a peer: a port scanner gets only
// as far as the latter.
result<monitor> monitor::watch(const context& in, socket& what) {
  const std::string name = next_name();
  if (zmq_socket_monitor(what.handle(), name.c_str(),
                         ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
    return {errc::io, std::string("cannot watch a socket: ") + zmq_strerror(errno)};
  monitor made;
  made.watched_ = what.handle();
  auto channel = socket::open(in, socket_kind::pair, {});
  if (!channel) return channel.take_status();
  made.channel_ = std::move(*channel);
  endpoint where{endpoint_role::connect, endpoint_transport::inproc, name};
  if (auto outcome = made.channel_.connect(where); !outcome) return outcome;
  return made;
}

monitor::monitor(monitor&& other) noexcept
    : channel_(std::move(other.channel_)),
      watched_(std::exchange(other.watched_, nullptr)),
      parts_(std::move(other.parts_)) {}

monitor& monitor::operator=(monitor&& other) noexcept {
  if (this != &other) {
    stop();
    channel_ = std::move(other.channel_);
    watched_ = std::exchange(other.watched_, nullptr);
    parts_ = std::move(other.parts_);
  }
  return *this;
}

monitor::~monitor() {
  stop();
}

void monitor::stop() noexcept {
  if (watched_) zmq_socket_monitor(std::exchange(watched_, nullptr), nullptr, 0);
  channel_.close();
}

void monitor::events(std::vector<link_event>& out) {
  while (channel_ && channel_.receive(parts_, 4096) == io::done) {
    if (parts_.empty() || parts_[0].size() < 2) continue;
    const auto event = load<std::uint16_t>(parts_[0].data());
    out.push_back(event == ZMQ_EVENT_DISCONNECTED ? link_event::down : link_event::up);
  }
}

}  // namespace holdfast
