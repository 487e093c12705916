#include "devices/loop/wire_router.hpp"

#include <algorithm>
#include <utility>

#include "devices/gate/peer_socket.hpp"
#include "devices/loop/input_port.hpp"
#include "devices/zmtp/parting.hpp"

namespace holdfast {

result<std::unique_ptr<router_port>> wire_router::open(const endpoint& where, std::uint32_t channel,
                                                       const terms& bounds, peer_id& next_peer) {
  auto door = wire_door::open(where);
  if (!door) return door.take_status();
  return std::unique_ptr<router_port>(
      std::make_unique<wire_router>(std::move(*door), channel, bounds, next_peer));
}

wire_router::wire_router(wire_door door, std::uint32_t channel, const terms& bounds,
                         peer_id& next_peer)
    : router_port(channel, bounds),
      limits_{bounds.frame_bytes_max(), parts_max + 1, part_limit(bounds.frame_bytes_max())},
      door_(std::move(door)),
      next_peer_(&next_peer) {}

bool wire_router::receive(engine& to, std::uint64_t, instant at) {
  taken_bytes_ = looks_ = 0;
  hung_up_ = false;
  look_around(at.now_ns);
  while (!ready_.empty() && !batch_full()) {
    const std::uint64_t number = ready_.front();
    ready_.pop_front();
    const auto found = clients_.find(number);
    if (found == clients_.end()) continue;
    client& one = *found->second;
    const outcome got = take_turn(one);
    one.listed = got == outcome::more;
    if (one.listed) ready_.push_back(number);
    if (got == outcome::gone) forget(number);
  }
  drained_ = ready_.empty();
  give(to);
  return true;
}

// What was received first, then one read. The end of a connection is seen behind all that came.
wire_router::outcome wire_router::take_turn(client& one) {
  outcome got = take_frames(one);
  if (got == outcome::nothing && one.wire.readable()) {
    ++looks_;
    one.wire.receive();
    got = take_frames(one);
    if (got == outcome::nothing && one.wire.readable()) return outcome::more;
  }
  if (got == outcome::nothing) one.wire.rest();
  if (!one.blocked && !one.gone) one.flush(door_);  // answers to pings
  if (one.gone && !one.hung_up) hang_up(one);
  return got;
}

wire_router::outcome wire_router::take_frames(client& one) {
  while (!batch_full()) {
    ++looks_;
    const zmtp::seen found = one.wire.next();
    if (found == zmtp::seen::incomplete) return outcome::nothing;
    if (found == zmtp::seen::failed) return outcome::gone;
    if (found == zmtp::seen::dropped) ++too_large_;
    if (found == zmtp::seen::message) take_frame(one);
  }
  return outcome::more;
}

void wire_router::take_frame(client& one) {
  if (one.id == 0) {
    one.id = (*next_peer_)++;
    by_peer_[one.id] = &one;
  }
  arrival& into = coming();
  into.from = one.id;
  into.parts.clear();
  for (const bytes_view part : one.wire.parts()) into.parts.push_back(one.wire.kept(part));
  taken_bytes_ += one.wire.bytes();
  take();
}

void wire_router::look_around(std::uint64_t now_ns) {
  now_ns_ = now_ns;
  look_after_clients();
  door_.look(now_ns_);
  for (const wire_door::news& what : door_.seen()) {
    const auto found = clients_.find(what.number);
    if (found == clients_.end()) continue;
    client& one = *found->second;
    if (what.overdue) one.wire.expire();
    if (what.writable) one.unblock(door_);
    if (what.readable) one.wire.set_readable(what.ending);
    if (one.gone) hang_up(one);
    if (what.readable && !std::exchange(one.listed, true)) ready_.push_back(what.number);
  }
  for (wire_door::arrival& one : door_.came()) admit(one);
}

void wire_router::admit(wire_door::arrival& one) {
  const int socket = one.connection.get();
  if (door_.tcp()) send_at_once(socket);
  auto made = std::make_unique<client>(
      client{{one.number, zmtp::connection(zmtp::routes, std::move(one.connection),
                                           std::move(one.who), limits_)}});
  if (door_.watch(socket, one.number)) clients_[one.number] = std::move(made);
}

// In a while.
void wire_router::look_after_clients() {
  if (now_ns_ < next_look_ns_) return;
  next_look_ns_ = now_ns_ + wire_link::look_every_ns;
  for (const auto& [number, one] : clients_) {
    one->look_after(door_);
    if (one->gone) hang_up(*one);
  }
}

// What it said before is heard first: acks, and that it leaves.
void wire_router::hang_up(client& one) {
  if (!std::exchange(one.hung_up, true)) one.wire.hang_up();
  if (!std::exchange(one.listed, true)) ready_.push_back(one.number);
  hung_up_ = true;
}

void wire_router::forget(std::uint64_t number) {
  const auto found = clients_.find(number);
  const client& one = *found->second;
  if (!one.wire.failure().empty())
    door_.complain("the connection of " + one.wire.who() + " is cut: " + one.wire.failure(),
                   now_ns_);
  if (one.id != 0) lost_.push_back(one.id);
  by_peer_.erase(one.id);
  clients_.erase(found);
  door_.left(now_ns_);
}

void wire_router::send(peer_id to, std::span<const part_out> parts) {
  const auto found = by_peer_.find(to);
  if (found == by_peer_.end()) {
    ++unreachable_;
    return lost_.push_back(to);
  }
  client& one = *found->second;
  if (one.gone) {
    ++unreachable_;
    return;
  }
  one.wire.out().add(parts, 0);
  if (!std::exchange(one.owed, true)) unsent_.push_back(to);
  if (one.wire.out().bytes() <= terms_.session_bytes) return;
  if (!one.blocked) one.flush(door_);
  if (one.wire.out().bytes() <= terms_.session_bytes) return;
  ++evicted_;
  forget(one.number);
}

void wire_router::flush() {
  for (const peer_id peer : unsent_) {
    const auto found = by_peer_.find(peer);
    if (found == by_peer_.end()) continue;
    client& one = *found->second;
    one.owed = false;
    if (!one.blocked) one.flush(door_);
    if (one.gone) hang_up(one);
  }
  unsent_.clear();
}

std::uint64_t wire_router::next_deadline() const noexcept {
  if (hung_up_) return 0;
  return std::min(door_.next_deadline(), clients_.empty() ? never_ns : next_look_ns_);
}

void wire_router::close(int linger_ms) noexcept {
  const std::uint64_t deadline =
      linger_ms < 0 ? never_ns : monotonic_now() + static_cast<std::uint64_t>(linger_ms) * ms_ns;
  door_.close();
  for (const auto& [number, one] : clients_) {
    zmtp::flush_until(one->wire, deadline);
    zmtp::read_away(one->wire);
  }
  by_peer_.clear();
  clients_.clear();
}

}  // namespace holdfast
