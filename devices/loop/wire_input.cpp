#include "devices/loop/wire_input.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint64_t messages_a_turn = 4 * input_port::batch_messages;

}  // namespace

result<std::unique_ptr<input_port>> wire_input::open(const endpoint& where, std::uint32_t channel,
                                                     std::uint64_t max_message) {
  auto door = wire_door::open(where);
  if (!door) return door.take_status();
  return std::unique_ptr<input_port>(
      std::make_unique<wire_input>(channel, max_message, std::move(*door)));
}

wire_input::wire_input(std::uint32_t channel, std::uint64_t max_message, wire_door door)
    : input_port(channel),
      limits_{max_message, parts_max, part_limit(max_message)},
      door_(std::move(door)) {}

bool wire_input::receive(engine& to, std::uint64_t room, instant at) {
  look_around(at.now_ns);
  waiting_ = false;
  while (!ready_.empty() && !full(room) && !waiting_) {
    const std::uint64_t number = ready_.front();
    peer& one = peers_.at(number);
    const outcome got = take_turn(one, room, at.real_ns);
    waiting_ = got == outcome::no_room;
    if (waiting_) break;  // it goes first, once there is room
    ready_.pop_front();
    one.listed = got == outcome::more;
    if (one.listed) ready_.push_back(number);
    if (got == outcome::gone) forget(number, at.now_ns);
  }
  drained_ = ready_.empty() || waiting_;
  if (waiting_) hold_all(at.now_ns);
  give(to);
  return true;
}

void wire_input::keep_up(instant at) {
  look_around(at.now_ns);
  hold_all(at.now_ns);
  drained_ = true;
}

// Greetings and pings are answered up to the first message, which waits.
void wire_input::hold_all(std::uint64_t now_ns) {
  for (std::size_t left = ready_.size(); left > 0; --left) {
    const std::uint64_t number = ready_.front();
    ready_.pop_front();
    peer& one = peers_.at(number);
    const outcome got = hold(one);
    one.listed = got == outcome::no_room;
    waiting_ = waiting_ || one.listed;
    if (one.listed) ready_.push_back(number);
    if (got == outcome::gone) forget(number, now_ns);
  }
}

wire_input::outcome wire_input::hold(peer& one) {
  while (!one.pending) {
    const zmtp::seen found = one.wire.advance();
    if (found == zmtp::seen::failed) return outcome::gone;
    if (found == zmtp::seen::incomplete) return outcome::nothing;
    if (found == zmtp::seen::dropped) ++too_large_;
    one.pending = found == zmtp::seen::message;
  }
  return outcome::no_room;
}

bool wire_input::full(std::uint64_t room) const noexcept {
  return packer_.held_bytes() >= std::min(room, batch_bytes) ||
         packer_.held_messages() >= messages_a_turn;
}

// What was received first, then one read. The end of a connection is seen behind all that came.
wire_input::outcome wire_input::take_turn(peer& one, std::uint64_t room, std::uint64_t time_ns) {
  outcome got = take_messages(one, room, time_ns);
  if (got == outcome::nothing && one.wire.readable()) {
    one.wire.receive();
    got = take_messages(one, room, time_ns);
    if (got == outcome::nothing && one.wire.readable()) return outcome::more;
  }
  if (got == outcome::nothing) one.wire.rest();
  return got;
}

wire_input::outcome wire_input::take_messages(peer& one, std::uint64_t room,
                                              std::uint64_t time_ns) {
  while (!full(room)) {
    const zmtp::seen found = one.pending ? zmtp::seen::message : one.wire.next();
    if (found == zmtp::seen::incomplete) return outcome::nothing;
    if (found == zmtp::seen::failed) return outcome::gone;
    if (found == zmtp::seen::dropped) ++too_large_;
    if (found != zmtp::seen::message) continue;
    one.pending = !fits(one.wire.bytes(), room);
    if (one.pending) return outcome::no_room;
    pack(one.wire, time_ns);
  }
  return outcome::more;
}

void wire_input::pack(zmtp::connection& from, std::uint64_t time_ns) {
  if (const auto own = from.detach(entry_head_bytes, padding_bytes_max))
    packer_.enclose(own.holder.owner(), own.at, own.size);
  else
    packer_.add(from.parts(), from.bytes(), time_ns);
}

void wire_input::look_around(std::uint64_t now_ns) {
  door_.look(now_ns);
  for (const wire_door::news& what : door_.seen()) {
    const auto found = peers_.find(what.number);
    if (found == peers_.end()) continue;
    peer& one = found->second;
    if (what.overdue) one.wire.expire();
    one.wire.set_readable(what.ending);
    if (!std::exchange(one.listed, true)) ready_.push_back(what.number);
  }
  for (wire_door::arrival& one : door_.came()) admit(one);
}

void wire_input::admit(wire_door::arrival& one) {
  const int socket = one.connection.get();
  peers_.try_emplace(one.number, peer{zmtp::connection(zmtp::pulls, std::move(one.connection),
                                                       std::move(one.who), limits_)});
  if (!door_.watch(socket, one.number)) peers_.erase(one.number);
}

void wire_input::forget(std::uint64_t number, std::uint64_t now_ns) {
  const auto found = peers_.find(number);
  const zmtp::connection& wire = found->second.wire;
  if (!wire.failure().empty())
    door_.complain("the connection of " + wire.who() + " is cut: " + wire.failure(), now_ns);
  peers_.erase(found);
  door_.left(now_ns);
}

}  // namespace holdfast
