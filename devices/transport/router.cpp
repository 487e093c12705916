#include "devices/transport/router.hpp"

#include <utility>
#include <zmq.hpp>

namespace holdfast {

result<router> router::open(const context& in, peer_id& next_peer, socket_options options,
                            std::size_t peers_max) {
  auto opened = socket::open(in, socket_kind::router, options);
  if (!opened) return opened.take_status();
  router made;
  made.socket_ = std::move(*opened);
  made.next_peer_ = &next_peer;
  made.peers_max_ = peers_max;
  return made;
}

peer_id router::intern(std::string_view routing_id) {
  if (const auto found = by_routing_id_.find(routing_id); found != by_routing_id_.end()) {
    route& known = peers_.at(found->second);
    known.owed = 0;
    by_age_.splice(by_age_.end(), by_age_, known.age);
    return found->second;
  }
  if (peers_.size() >= peers_max_) {
    displaced_.push_back(by_age_.front());
    forget(by_age_.front());
  }
  const peer_id made = (*next_peer_)++;
  by_routing_id_.emplace(routing_id, made);
  peers_.emplace(made, route{std::string(routing_id), 0, by_age_.insert(by_age_.end(), made)});
  return made;
}

io router::receive(peer_id& from, std::vector<buffer_ref>& parts, std::uint64_t bytes_max) {
  zmq::message_t id;
  if (zmq_msg_recv(id.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0)
    return errno == EAGAIN || errno == EINTR ? io::would_block : io::failed;
  from = intern({static_cast<const char*>(id.data()), id.size()});
  parts.clear();
  return id.more() ? socket_.receive(parts, bytes_max) : io::done;
}

io router::send(peer_id to, std::span<const part_out> parts) {
  const auto found = peers_.find(to);
  if (found == peers_.end()) return io::unreachable;
  const std::string& id = found->second.routing_id;
  sending_.clear();
  sending_.push_back({as_bytes_view(id.data(), id.size()), nullptr});
  sending_.insert(sending_.end(), parts.begin(), parts.end());
  const io outcome = socket_.send(sending_);
  if (outcome == io::unreachable) forget(to);
  if (outcome == io::done)
    for (const part_out& part : parts) found->second.owed += part.bytes.size();
  return outcome;
}

std::uint64_t router::bytes_owed(peer_id peer) const noexcept {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : found->second.owed;
}

void router::forget(peer_id peer) noexcept {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  by_age_.erase(found->second.age);
  by_routing_id_.erase(found->second.routing_id);
  peers_.erase(found);
}

}  // namespace holdfast
