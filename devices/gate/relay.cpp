#include "devices/gate/relay.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>

#include "devices/gate/peer_socket.hpp"

namespace holdfast {

namespace {

int socket_error(int of) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(of, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

gate_end end_of(int error) noexcept {
  if (error == 0) return gate_end::closed;
  return error == ETIMEDOUT ? gate_end::vanished : gate_end::reset;
}

}  // namespace

gate_backlog gate_link::backlog() const noexcept {
  const std::lock_guard hold(closing);
  if (!peer || !inner) return {};
  // Upstream first: a byte that moves meanwhile is counted twice rather than missed.
  std::uint64_t bytes = queued(inner.get(), SIOCINQ);
  const lane::view relayed = out.unsettled();
  bytes += relayed.bytes;
  const std::uint64_t waiting = bytes + queued(peer.get(), tcp ? SIOCOUTQNSD : SIOCOUTQ);
  bytes += unacknowledged(peer.get());
  return {std::min(waiting, bytes), bytes, bytes == 0 && !relayed.moving};
}

int relay::connect(std::string_view name, std::uint32_t send_buffer_bytes) {
  fd inner(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!inner) return errno;
  const int size = static_cast<int>(send_buffer_bytes);
  ::setsockopt(inner.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), where.sun_path + 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::connect(inner.get(), reinterpret_cast<const sockaddr*>(&where), length) != 0) return errno;
  const std::lock_guard hold(link_->closing);
  link_->inner = std::move(inner);
  phase_ = phase::open;
  return 0;
}

void relay::fail(gate_end why, std::string text) {
  finish(why, std::move(text));
}

void relay::finish(gate_end why, std::string text) {
  end_ = why;
  why_ = std::move(text);
  phase_ = phase::over;
}

void relay::peer_edge(std::uint32_t events) noexcept {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) link_->in.source_edge();
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) link_->out.sink_edge();
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) peer_hung_ = true;
}

void relay::inner_edge(std::uint32_t events) noexcept {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) link_->out.source_edge();
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) link_->in.sink_edge();
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) inner_hung_ = true;
}

bool relay::step(conduit_pool& pool, std::size_t budget, std::uint64_t now_ns,
                 std::uint64_t drain_ns) {
  if (phase_ == phase::waiting) step_waiting();
  if (phase_ == phase::waiting || over()) return false;

  lane &in = link_->in, &out = link_->out;
  std::size_t moved = out.pump(link_->inner.get(), link_->peer.get(), pool, budget);
  if (phase_ != phase::device_ended)
    moved += in.pump(link_->peer.get(), link_->inner.get(), pool, budget);

  if (phase_ == phase::open) step_open();
  if (phase_ == phase::peer_ended) step_peer_ended(pool);
  if (phase_ == phase::device_ended) step_device_ended(pool);
  if (over() || phase_ == phase::open) return !over() && (in.more() || out.more());

  if (moved > 0 || deadline_ns_ == never_ns) deadline_ns_ = now_ns + drain_ns;
  if (now_ns >= deadline_ns_) {
    if (phase_ == phase::device_ended && !out.finished())
      end_ = gate_end::not_drained, why_ = "the peer did not take what was left";
    phase_ = phase::over;
  }
  return !over() && (dropping_ || out.more() || (phase_ == phase::peer_ended && in.more()));
}

void relay::step_waiting() {
  if (peer_hung_) peer_end(socket_error(link_->peer.get())), phase_ = phase::over;
}

void relay::peer_end(int error) {
  phase_ = phase::peer_ended;
  end_ = end_of(error);
  why_ = error == 0 ? "the peer closed the connection" : errno_text(error);
}

void relay::step_open() {
  const lane &in = link_->in, &out = link_->out;
  if (in.source_ended() || out.sink_error() != 0) {
    peer_end(in.source_error() != 0 ? in.source_error() : out.sink_error());
  } else if (out.source_ended() || in.sink_error() != 0 || inner_hung_) {
    phase_ = phase::device_ended;
    end_ = gate_end::device_closed;
    why_ = "the device closed the connection";
  } else if (peer_hung_) {  // and the private socket does not take what it had sent
    peer_end(socket_error(link_->peer.get()));
  }
}

// The peer is gone. The private socket gets the rest of what it had sent, then the end.
void relay::step_peer_ended(conduit_pool& pool) {
  lane &in = link_->in, &out = link_->out;
  if (out.sink_error() != 0) out.discard(pool);
  if (in.finished() && !shut_) {
    shut_ = true;
    ::shutdown(link_->inner.get(), SHUT_WR);
  }
  // libzmq has closed its end: it has read everything up to the end of ours.
  if (inner_hung_ || out.source_ended() || in.sink_error() != 0) phase_ = phase::over;
}

// The private socket is gone. The peer gets the rest of what was handed over, then the end.
void relay::step_device_ended(conduit_pool& pool) {
  lane &in = link_->in, &out = link_->out;
  in.discard(pool);
  if (out.sink_error() != 0) return finish(end_of(out.sink_error()), errno_text(out.sink_error()));
  if (out.finished() && !shut_) {
    shut_ = true;
    ::shutdown(link_->peer.get(), SHUT_WR);
  }
  dropping_ = drop_from_peer();
  if (in.source_ended()) {
    if (out.finished())
      finish(gate_end::device_closed, std::move(why_));
    else
      finish(end_of(in.source_error()), "the peer ended before it took what was left");
  }
}

// Unread bytes at close would turn it into a reset that destroys what is on its way to the peer.
// True: there may be more.
bool relay::drop_from_peer() {
  std::byte scratch[4096];
  for (int i = 0; i < 64; ++i) {
    const ssize_t n = ::recv(link_->peer.get(), scratch, sizeof scratch, MSG_DONTWAIT);
    if (n > 0) continue;
    if (n == 0)
      link_->in.end_source(0);
    else if (errno != EAGAIN && errno != EINTR)
      link_->in.end_source(errno);
    return false;
  }
  return true;
}

bool relay::check_vanished(std::uint32_t timeout_ms) {
  if (!link_->tcp || over() || !answers_nothing(link_->peer.get(), timeout_ms)) return false;
  reset_on_close();
  link_->in.end_source(ETIMEDOUT);
  return true;
}

void relay::reset_on_close() noexcept {
  holdfast::reset_on_close(link_->peer.get());
}

void relay::cut() noexcept {
  const std::lock_guard hold(link_->closing);
  link_->peer.close();
  link_->inner.close();
}

}  // namespace holdfast
