#include "devices/loop/wire_door.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "devices/gate/peer_socket.hpp"
#include "devices/logging.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t door_number = 0;
constexpr int backlog = 128, events_max = 64, accepts_a_turn = 64;
constexpr std::uint64_t accept_pause_ns = 500 * ms_ns, complaint_every_ns = 10 * second_ns;
constexpr std::uint32_t of_connections = EPOLLIN | EPOLLRDHUP | EPOLLET;

bool control(const fd& events, int how, int what, std::uint32_t wanted, std::uint64_t number) {
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = number;
  return ::epoll_ctl(events.get(), how, what, &event) == 0;
}

}  // namespace

result<wire_door> wire_door::open(const endpoint& where) {
  auto door = listener::open(where.address, backlog, false);
  if (!door) return door.take_status();
  fd events(::epoll_create1(EPOLL_CLOEXEC));
  if (!events) return {errc::io, "epoll cannot be had: " + errno_text(errno)};
  wire_door made(std::move(*door), std::move(events));
  if (!made.watch_door())
    return {errc::io, where.text() + " cannot be watched: " + errno_text(errno)};
  return made;
}

wire_door::wire_door(listener door, fd events)
    : door_(std::move(door)), events_(std::move(events)), actual_(door_.endpoint()) {}

bool wire_door::watch_door() const noexcept {
  return control(events_, EPOLL_CTL_ADD, door_.get(), EPOLLIN, door_number);
}

bool wire_door::watch(int connection, std::uint64_t number) const noexcept {
  return control(events_, EPOLL_CTL_ADD, connection, of_connections, number);
}

void wire_door::watch_writable(int connection, std::uint64_t number, bool wanted) const noexcept {
  control(events_, EPOLL_CTL_MOD, connection, of_connections | (wanted ? EPOLLOUT : 0u), number);
}

void wire_door::close() noexcept {
  door_ = {};
  accept_again_ns_ = never_ns;
}

std::uint64_t wire_door::next_deadline() const noexcept {
  const std::uint64_t overdue = new_.empty() ? never_ns : new_.front().second + handshake_ns;
  return std::min(accept_again_ns_, overdue);
}

void wire_door::tell_overdue(std::uint64_t now_ns) {
  for (; !new_.empty() && now_ns - new_.front().second >= handshake_ns; new_.pop_front())
    seen_.push_back({.number = new_.front().first, .readable = true, .overdue = true});
}

void wire_door::left(std::uint64_t now_ns) noexcept {
  if (accept_again_ns_ != never_ns) accept_again_ns_ = now_ns;
}

void wire_door::look(std::uint64_t now_ns) {
  came_.clear();
  seen_.clear();
  tell_overdue(now_ns);
  const bool again = now_ns >= accept_again_ns_;
  if (!std::exchange(raised_, false) && !again) return;
  if (again) {
    accept_again_ns_ = never_ns;
    watch_door();
  }
  epoll_event events[events_max];
  const int count = ::epoll_wait(events_.get(), events, events_max, 0);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t what = events[i].events;
    if (events[i].data.u64 == door_number)
      accept_some(now_ns);
    else
      seen_.push_back({events[i].data.u64, (what & ~EPOLLOUT) != 0,
                       (what & ~(EPOLLIN | EPOLLOUT)) != 0, (what & EPOLLOUT) != 0});
  }
}

// The rest is let in next turn: the door tells again.
void wire_door::accept_some(std::uint64_t now_ns) {
  for (int i = 0; i < accepts_a_turn; ++i) {
    fd connection = door_.accept();
    if (!connection && errno == EAGAIN) return;
    if (!connection) return pause(errno, now_ns);
    if (tcp()) keep_alive(connection.get(), peer_timeout_ms / 1000);
    std::string who = remote_name(connection.get(), tcp());
    new_.emplace_back(++last_number_, now_ns);
    came_.push_back({last_number_, std::move(connection), std::move(who)});
  }
}

// A door that cannot be served stays readable: it is not looked at until there is hope again.
void wire_door::pause(int error, std::uint64_t now_ns) {
  complain("new peers wait: " + errno_text(error), now_ns);
  ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, door_.get(), nullptr);
  accept_again_ns_ = now_ns + accept_pause_ns;
}

void wire_door::complain(const std::string& about, std::uint64_t now_ns) {
  if (now_ns < quiet_until_ns_) return log_debug(actual_ + ": " + about);
  quiet_until_ns_ = now_ns + complaint_every_ns;
  log_warning(actual_ + ": " + about);
}

}  // namespace holdfast
