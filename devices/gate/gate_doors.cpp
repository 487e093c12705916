// The part of gate_thread that carries out commands, listens and accepts.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/clock.hpp"
#include "devices/gate/gate_thread.hpp"
#include "devices/gate/peer_socket.hpp"

namespace holdfast {

namespace {

constexpr std::uint32_t relay_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int accepts_per_wakeup = 64;

}  // namespace

void gate_thread::do_commands(std::uint64_t now_ns) {
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto n = ::read(wake_fd_.get(), &rung, sizeof rung);
  std::vector<command> todo;
  {
    const std::lock_guard hold(exchange_);
    todo.swap(commands_);
  }
  for (command& what : todo) {
    switch (what.what) {
      case command::kind::listen: do_listen(what); break;
      case command::kind::unlisten: doors_.erase(what.number); break;
      case command::kind::ready: do_ready(what.number, now_ns); break;
      case command::kind::close: do_close(what.number, now_ns); break;
      case command::kind::stop: stopping_ = true; break;
    }
  }
}

void gate_thread::do_listen(command& what) {
  door& made = doors_[what.number];
  made.socket = std::move(what.door);
  made.cookie = what.number;
  watch(made.socket.get(), side::door, what.number, EPOLLIN);
}

void gate_thread::do_ready(gate_peer peer, std::uint64_t now_ns) {
  const auto found = relays_.find(peer);
  if (found == relays_.end()) return;
  relay& which = *found->second;
  if (const int error = which.connect(private_name(peer), options_.lane_bytes); error != 0)
    which.fail(gate_end::not_bound, "cannot reach the private socket: " + errno_text(error));
  else if (!watch(which.link().inner.get(), side::inner, peer, relay_events))
    which.fail(gate_end::reset, "cannot watch the private connection: " + errno_text(errno));
  step(which, now_ns);
}

void gate_thread::do_close(gate_peer peer, std::uint64_t now_ns) {
  const auto found = relays_.find(peer);
  if (found == relays_.end()) return;
  found->second->reset_on_close();
  forget(peer, now_ns);
}

// A connection beyond the limit is taken and closed, so that the peer learns of it and the backlog
// stays free.
void gate_thread::accept_from(door& at, std::uint64_t now_ns) {
  for (int i = 0; i < accepts_per_wakeup; ++i) {
    fd connection = at.socket.accept();
    if (!connection) {
      if (errno != EAGAIN) pause(at, errno, now_ns);
      return;
    }
    if (at.peers >= options_.peers_max) {
      counters_.refused.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    admit(at, std::move(connection));
  }
}

void gate_thread::admit(door& at, fd connection) {
  const gate_peer peer = next_peer_++;
  const bool tcp = at.socket.tcp();
  set_peer_options(connection.get(), tcp);
  if (!watch(connection.get(), side::peer, peer, relay_events)) return;
  auto link = std::make_shared<gate_link>();
  link->peer = std::move(connection);
  link->tcp = tcp;
  ++at.peers;
  counters_.accepted.fetch_add(1, std::memory_order_relaxed);
  std::string who = remote_name(link->peer.get(), tcp);
  relays_.emplace(peer, std::make_unique<relay>(peer, at.cookie, link));
  say({gate_event::kind::peer_up,
       {},
       peer,
       at.cookie,
       "ipc://@" + private_name(peer),
       std::move(who)},
      std::move(link));
}

void gate_thread::set_peer_options(int connection, bool tcp) const {
  bound_unsent(connection, tcp, static_cast<int>(options_.unsent_bytes));
  if (tcp && options_.peer_timeout_ms != 0)
    keep_alive(connection, static_cast<int>(options_.peer_timeout_ms / 1000));
}

// A listener that cannot be served stays readable: it leaves epoll until there is hope again.
void gate_thread::pause(door& at, int error, std::uint64_t now_ns) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, at.socket.get(), nullptr);
  at.paused_until_ns = now_ns + options_.accept_pause_ms * ms_ns;
  counters_.accept_pauses.fetch_add(1, std::memory_order_relaxed);
  say({gate_event::kind::accept_paused,
       {},
       0,
       at.cookie,
       {},
       "accepting at " + at.socket.endpoint() + " pauses: " + errno_text(error)});
}

void gate_thread::resume_paused(std::uint64_t now_ns, bool all) {
  for (auto& [cookie, at] : doors_) {
    if (at.paused_until_ns == 0 || (!all && now_ns < at.paused_until_ns)) continue;
    at.paused_until_ns = 0;
    watch(at.socket.get(), side::door, cookie, EPOLLIN);
  }
}

std::string gate_thread::private_name(gate_peer peer) const {
  return prefix_ + std::to_string(peer);
}

}  // namespace holdfast
