#include "devices/transport/poller.hpp"

#include <algorithm>
#include <limits>

#include "base/clock.hpp"

namespace holdfast {
namespace {

/// Rounded up: waking early would spin until the deadline.
int timeout_ms(std::uint64_t timeout_ns) noexcept {
  if (timeout_ns == never_ns) return -1;
  const std::uint64_t ms = timeout_ns / ms_ns + (timeout_ns % ms_ns ? 1 : 0);
  return static_cast<int>(std::min<std::uint64_t>(ms, std::numeric_limits<int>::max()));
}

std::uint64_t left(std::uint64_t until_ns) noexcept {
  const std::uint64_t now = monotonic_now();
  return until_ns == never_ns ? never_ns : until_ns > now ? until_ns - now : 0;
}

}  // namespace

std::size_t poller::add(const socket& what, bool readable, bool writable) {
  return add({&what, readable, writable}, what.fd());
}

std::size_t poller::add_fd(int fd, bool readable, bool writable) {
  return add({nullptr, readable, writable}, fd);
}

std::size_t poller::add(const item& made, int fd) {
  items_.push_back(made);
  waited_.push_back({});
  fds_.push_back(fd);
  set_waited(items_.size() - 1, fd);
  return items_.size() - 1;
}

// poll(2) passes over a negative descriptor. That of a socket is raised to be read, whatever the
// news is.
void poller::set_waited(std::size_t index, int fd) noexcept {
  const item& one = items_[index];
  const bool any = one.wants_read || one.wants_write;
  short asked = POLLIN;
  if (!one.from)
    asked = static_cast<short>((one.wants_read ? POLLIN : 0) | (one.wants_write ? POLLOUT : 0));
  waited_[index] = {any ? fd : -1, asked, 0};
}

void poller::want(std::size_t index, bool readable, bool writable) noexcept {
  items_[index].wants_read = readable;
  items_[index].wants_write = writable;
  set_waited(index, fds_[index]);
}

void poller::clear() noexcept {
  items_.clear();
  waited_.clear();
  fds_.clear();
}

bool poller::wait(std::uint64_t timeout_ns) {
  const std::uint64_t until = timeout_ns == never_ns ? never_ns : monotonic_now() + timeout_ns;
  for (item& one : items_) one.readable = one.writable = false;
  const bool known = ask_what_fd_may_not_tell();
  for (std::uint64_t rest = known ? 0 : timeout_ns;; rest = left(until)) {
    const int raised = ::poll(waited_.data(), waited_.size(), timeout_ms(rest));
    if (raised < 0) break;
    if (raised == 0 && rest != 0) ask_all();
    // News of another kind than is waited for: goes on waiting.
    if (take_results() || known || raised == 0 || rest == 0) return true;
  }
  for (item& one : items_) one.readable = one.writable = false;
  return false;
}

// True if something is ready.
bool poller::ask_what_fd_may_not_tell() noexcept {
  bool any = false;
  for (item& one : items_) {
    if (!one.from) continue;
    const socket::readiness may = one.from->may_be();
    if ((one.wants_read && may.readable) || (one.wants_write && may.writable)) any |= ask(one);
  }
  return any;
}

// Nothing was told for the whole of a wait: time to ask, as zmq_poll does each time. Should a raise
// of a descriptor ever be missed, it costs a delay and no more.
void poller::ask_all() noexcept {
  for (item& one : items_)
    if (one.from && (one.wants_read || one.wants_write)) ask(one);
}

bool poller::take_results() noexcept {
  bool any = false;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    item& one = items_[i];
    const short raised = waited_[i].revents;
    if (raised == 0) continue;
    if (one.from) {
      any |= ask(one);
    } else {
      one.readable = one.wants_read && (raised & ~POLLOUT) != 0;
      one.writable = one.wants_write && (raised & ~POLLIN) != 0;
      any = true;
    }
  }
  return any;
}

bool poller::ask(item& one) noexcept {
  const socket::readiness news = one.from->events();
  one.readable = one.wants_read && news.readable;
  one.writable = one.wants_write && news.writable;
  return one.readable || one.writable;
}

}  // namespace holdfast
