#include "devices/loop/wire_input.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "devices/logging.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t door_number = 0;
constexpr int backlog = 128, events_max = 64, accepts_a_turn = 64;
constexpr std::uint64_t accept_pause_ns = 500 * ms_ns, complaint_every_ns = 10 * second_ns;
constexpr std::uint64_t messages_a_turn = 4 * input_port::batch_messages;
// A host that is gone: noticed after half a minute.
constexpr int peer_timeout_s = 30;

}  // namespace

result<std::unique_ptr<input_port>> wire_input::open(const endpoint& where, std::uint32_t channel,
                                                     std::uint64_t max_message) {
  auto door = listener::open(where.address, backlog, false);
  if (!door) return door.take_status();
  fd events(::epoll_create1(EPOLL_CLOEXEC));
  if (!events) return {errc::io, "epoll cannot be had: " + errno_text(errno)};
  auto made =
      std::make_unique<wire_input>(channel, max_message, std::move(*door), std::move(events));
  if (!made->watch(made->door_.get(), door_number))
    return {errc::io, where.text() + " cannot be watched: " + errno_text(errno)};
  return std::unique_ptr<input_port>(std::move(made));
}

wire_input::wire_input(std::uint32_t channel, std::uint64_t max_message, listener door, fd events)
    : input_port(channel),
      limits_{max_message, parts_max, part_limit(max_message)},
      door_(std::move(door)),
      events_(std::move(events)),
      actual_(door_.endpoint()) {}

// Of peers edges: one whose messages wait for room does not raise it again.
bool wire_input::watch(int what, std::uint64_t number) {
  epoll_event event{};
  event.events = number == door_number ? EPOLLIN : EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.u64 = number;
  return ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, what, &event) == 0;
}

void wire_input::add_to(poller& waiting, bool) {
  polled_at_ = waiting.add_fd(events_.get());
}

void wire_input::take_poll(const poller& waiting) {
  raised_ = waiting.readable(polled_at_);
}

void wire_input::stop_accepting() {
  door_ = {};
  accept_again_ns_ = never_ns;
}

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
    const zmtp::seen found = one.wire.next();
    if (found == zmtp::seen::failed) return outcome::gone;
    if (found == zmtp::seen::dropped) ++too_large_;
    one.pending = found == zmtp::seen::message;
    if (found != zmtp::seen::incomplete) continue;
    if (!one.wire.readable()) return outcome::nothing;
    one.wire.receive();
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
    packer_.add(one.wire.parts(), one.wire.bytes(), time_ns);
  }
  return outcome::more;
}

void wire_input::look_around(std::uint64_t now_ns) {
  const bool again = now_ns >= accept_again_ns_;
  if (!std::exchange(raised_, false) && !again) return;
  if (again) {
    accept_again_ns_ = never_ns;
    watch(door_.get(), door_number);
  }
  epoll_event events[events_max];
  const int count = ::epoll_wait(events_.get(), events, events_max, 0);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t number = events[i].data.u64;
    if (number == door_number) {
      accept_some(now_ns);
      continue;
    }
    peer& one = peers_.at(number);
    one.wire.set_readable((events[i].events & ~EPOLLIN) != 0);
    if (!std::exchange(one.listed, true)) ready_.push_back(number);
  }
}

// The rest is let in next turn: the door tells again.
void wire_input::accept_some(std::uint64_t now_ns) {
  for (int i = 0; i < accepts_a_turn; ++i) {
    fd connection = door_.accept();
    if (!connection && errno == EAGAIN) return;
    if (!connection) return pause(errno, now_ns);
    admit(std::move(connection));
  }
}

// A door that cannot be served stays readable: it is not looked at until there is hope again.
void wire_input::pause(int error, std::uint64_t now_ns) {
  complain("new peers wait: " + errno_text(error), now_ns);
  ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, door_.get(), nullptr);
  accept_again_ns_ = now_ns + accept_pause_ns;
}

void wire_input::admit(fd connection) {
  const int socket = connection.get();
  if (door_.tcp()) keep_alive(socket, peer_timeout_s);
  const std::uint64_t number = ++last_peer_;
  std::string who = remote_name(socket, door_.tcp());
  peers_.try_emplace(number, peer{{std::move(connection), std::move(who), limits_}});
  if (!watch(socket, number)) peers_.erase(number);
}

void wire_input::forget(std::uint64_t number, std::uint64_t now_ns) {
  const auto found = peers_.find(number);
  const zmtp::connection& wire = found->second.wire;
  if (!wire.failure().empty())
    complain("the connection of " + wire.who() + " is cut: " + wire.failure(), now_ns);
  peers_.erase(found);
  if (accept_again_ns_ != never_ns) accept_again_ns_ = now_ns;
}

void wire_input::complain(const std::string& about, std::uint64_t now_ns) {
  if (now_ns < quiet_until_ns_) return log_debug(actual_ + ": " + about);
  quiet_until_ns_ = now_ns + complaint_every_ns;
  log_warning(actual_ + ": " + about);
}

}  // namespace holdfast
