#include "devices/loop/socket_router.hpp"

#include <utility>

namespace holdfast {
namespace {

/// Messages a peer of another protocol may leave unread before it counts as gone.
constexpr int send_hwm_messages = 1000;
/// Of the journal for a foreign frame, beside its bytes: its record's share, its head.
constexpr std::uint64_t record_overhead = 4096;

socket_options options_for(const router_port::terms& bounds) {
  socket_options o = router::reliable_options();
  o.max_part = static_cast<std::int64_t>(bounds.frame_bytes_max());
  o.heartbeat_ms = bounds.heartbeat_ms;
  if (bounds.speaks == door::hfp) return o;
  o.send_hwm = send_hwm_messages;
  o.receive_hwm = bounds.receive_hwm_messages;
  return o;
}

}  // namespace

result<std::unique_ptr<router_port>> socket_router::open(const context& in, const endpoint& where,
                                                         std::uint32_t channel, const terms& bounds,
                                                         peer_id& next_peer) {
  auto opened = router::open(in, next_peer, options_for(bounds));
  if (!opened) return opened.take_status();
  if (status outcome = opened->attach(where); !outcome) return outcome;
  return std::unique_ptr<router_port>(
      std::make_unique<socket_router>(std::move(*opened), where, channel, bounds));
}

socket_router::socket_router(router opened, endpoint where, std::uint32_t channel,
                             const terms& bounds)
    : router_port(channel, bounds), router_(std::move(opened)), where_(std::move(where)) {}

void socket_router::add_to(poller& waiting, bool takes) {
  waiting.add(router_.raw(), pausable() ? takes && !waiting_ : takes);
}

bool socket_router::receive(engine& to, std::uint64_t room, instant) {
  std::uint64_t bytes = 0, stored = 0;
  io outcome = io::done;
  for (std::size_t tries = 0; tries < batch_frames && bytes < batch_bytes; ++tries) {
    arrival& next = coming();
    if (std::exchange(waiting_, false))
      std::swap(next, held_);
    else
      outcome = router_.receive(next.from, next.parts, terms_.frame_bytes_max());
    if (outcome == io::too_large) ++too_large_;
    if (outcome == io::would_block || outcome == io::failed) break;
    if (outcome != io::done || next.parts.empty()) continue;
    const std::uint64_t size = next.bytes();
    stored += size + record_overhead;
    waiting_ = pausable() && stored > room;
    if (waiting_) {
      std::swap(next, held_);
      break;
    }
    bytes += size;
    take();
  }
  drained_ = waiting_ || outcome == io::would_block;
  take_displaced();
  give(to);
  return outcome != io::failed;
}

void socket_router::take_displaced() {
  lost_.insert(lost_.end(), router_.displaced().begin(), router_.displaced().end());
  router_.displaced().clear();
}

void socket_router::send(peer_id to, std::span<const part_out> parts) {
  const io outcome = router_.send(to, parts);
  const bool silent = foreign()
                          ? outcome == io::would_block
                          : outcome == io::done && router_.bytes_owed(to) > terms_.session_bytes;
  if (silent) {
    ++evicted_;
    router_.forget(to);
  }
  if (outcome == io::unreachable) ++unreachable_;
  if (silent || outcome == io::unreachable) lost_.push_back(to);
}

void socket_router::stop_accepting() {
  if (where_.binds()) static_cast<void>(router_.raw().unbind(router_.raw().last_endpoint()));
}

std::string socket_router::actual() const {
  return where_.binds() ? router_.raw().last_endpoint() : where_.address;
}

void socket_router::close(int linger_ms) noexcept {
  router_.raw().set_linger(linger_ms);
  router_.raw().close();
}

}  // namespace holdfast
