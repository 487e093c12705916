#include "devices/transport/socket.hpp"

#include <unistd.h>

#include <utility>

#include "base/check.hpp"
#include "devices/transport/message_buffer.hpp"
#include "devices/transport/thread_sanitizer.hpp"
#include "patterns/block.hpp"

namespace holdfast {
namespace {

/// Below this a copy is cheaper than libzmq's allocation for a foreign buffer.
constexpr std::size_t reference_bytes_min = 16 * 1024;
/// A small received message lies in libzmq's 8 KiB receive buffer, and holding it would hold all of
/// that: below this size it is copied.
constexpr std::size_t keep_bytes_min = 4 * 1024;
/// Parts of one multipart that a frame may have: a message's parts, a head and room for an
/// envelope.
constexpr std::size_t frame_parts_max = parts_max + 8;

int native(socket_kind kind) noexcept {
  switch (kind) {
    case socket_kind::push: return ZMQ_PUSH;
    case socket_kind::pull: return ZMQ_PULL;
    case socket_kind::router: return ZMQ_ROUTER;
    case socket_kind::dealer: return ZMQ_DEALER;
    case socket_kind::pair: return ZMQ_PAIR;
    case socket_kind::sub: return ZMQ_SUB;
    case socket_kind::xpub: return ZMQ_XPUB;
  }
  check(false, "a socket kind is one of the enumerators");
  return -1;
}

void apply(zmq::socket_ref s, socket_kind kind, const socket_options& o) {
  s.set(zmq::sockopt::linger, o.linger_ms);
  s.set(zmq::sockopt::sndhwm, o.send_hwm);
  s.set(zmq::sockopt::rcvhwm, o.receive_hwm);
  s.set(zmq::sockopt::maxmsgsize, o.max_part);
  s.set(zmq::sockopt::immediate, o.immediate ? 1 : 0);
  s.set(zmq::sockopt::ipv6, o.ipv6 ? 1 : 0);
  s.set(zmq::sockopt::backlog, o.backlog);
  s.set(zmq::sockopt::reconnect_ivl, o.reconnect_ms);
  s.set(zmq::sockopt::reconnect_ivl_max, o.reconnect_max_ms);
  s.set(zmq::sockopt::handshake_ivl, o.handshake_ms);
  if (o.own_process_only) {
    const pid_t self = getpid();  // cppzmq 4.8 names no such option
    if (zmq_setsockopt(s.handle(), ZMQ_IPC_FILTER_PID, &self, sizeof self) != 0)
      throw zmq::error_t();
  }
  if (o.own_user_only) {
    const uid_t users[] = {getuid(), 0};
    for (const uid_t& user : users)  // each call adds one
      if (zmq_setsockopt(s.handle(), ZMQ_IPC_FILTER_UID, &user, sizeof user) != 0)
        throw zmq::error_t();
  }
  s.set(zmq::sockopt::heartbeat_ivl, o.heartbeat_ms);
  if (o.heartbeat_ms > 0) {
    const int timeout = o.heartbeat_timeout_ms > 0 ? o.heartbeat_timeout_ms : 3 * o.heartbeat_ms;
    s.set(zmq::sockopt::heartbeat_timeout, timeout);
    s.set(zmq::sockopt::heartbeat_ttl, timeout);
  }
  if (kind == socket_kind::sub) s.set(zmq::sockopt::subscribe, "");
  if (kind == socket_kind::xpub) s.set(zmq::sockopt::xpub_nodrop, o.no_drop ? 1 : 0);
  if (kind == socket_kind::router) {
    // Without MANDATORY frames to a peer that left vanish in silence. Without HANDOVER a peer that
    // comes back under a routing id of its own choice is never heard again; frames carry session
    // numbers, so an intruder under a known id gains nothing but a RESET.
    s.set(zmq::sockopt::router_mandatory, 1);
    s.set(zmq::sockopt::router_handover, 1);
  }
}

status failure(std::string_view verb, std::string_view object, int error) {
  return {error == EADDRINUSE ? errc::in_use : errc::io,
          "cannot " + std::string(verb) + " " + std::string(object) + ": " + zmq_strerror(error)};
}

void release_reference(void*, void* hint) {
  delete static_cast<buffer_ref*>(hint);
}

/// Fills `into` with a part's bytes in the cheapest way its owner allows.
void fill(zmq::message_t& into, const part_out& part) {
  const buffer_ref* keep = part.keep;
  if (keep && *keep && keep->owner()->what() == buffer::kind::zmq_message && keep->whole() &&
      part.bytes.size() == keep->size()) {
    static_cast<message_buffer*>(keep->owner())->forward(into);
  } else if (keep && *keep && part.bytes.size() >= reference_bytes_min) {
    into.rebuild(const_cast<std::byte*>(part.bytes.data()), part.bytes.size(), release_reference,
                 new buffer_ref(*keep));
  } else if (part.bytes.empty()) {
    into.rebuild();  // zmq.hpp copies from where the bytes are, which may be nowhere
  } else {
    into.rebuild(part.bytes.data(), part.bytes.size());
  }
}

io outcome_of(int error) noexcept {
  switch (error) {
    case EAGAIN:
    case EINTR: return io::would_block;
    case EHOSTUNREACH: return io::unreachable;
    default: return io::failed;
  }
}

}  // namespace

result<socket> socket::open(const context& in, socket_kind kind, const socket_options& options) {
  if (options.receive_hwm <= 0)
    return {errc::invalid, "a socket's receive limit must be at least 1 message"};
  socket made;
  made.handle_ = zmq_socket(in.handle(), native(kind));
  if (!made.handle_) return failure("open", "a ZeroMQ socket", errno);
  try {
    apply(zmq::socket_ref(zmq::from_handle, made.handle_), kind, options);
  } catch (const zmq::error_t& error) {
    return failure("set an option of", "a ZeroMQ socket", error.num());
  }
  std::size_t size = sizeof made.fd_;
  if (zmq_getsockopt(made.handle_, ZMQ_FD, &made.fd_, &size) != 0)
    return failure("ask the descriptor of", "a ZeroMQ socket", errno);
  return made;
}

socket::socket(socket&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      fd_(std::exchange(other.fd_, -1)),
      inproc_(std::move(other.inproc_)) {}

socket& socket::operator=(socket&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
    inproc_ = std::move(other.inproc_);
    may_be_ = {true, true};
  }
  return *this;
}

socket::~socket() {
  close();
}

// libzmq gives an inproc name free later, on a thread of its own: whoever binds it next would be
// refused until then.
void socket::close() noexcept {
  if (handle_ && !inproc_.empty()) zmq_unbind(handle_, inproc_.c_str());
  inproc_.clear();
  if (handle_) zmq_close(std::exchange(handle_, nullptr));
  fd_ = -1;
}

status socket::bind(const endpoint& where) {
  if (zmq_bind(handle(), where.address.c_str()) != 0) return failure("bind", where.address, errno);
  if (where.transport == endpoint_transport::inproc) inproc_ = where.address;
  return {};
}

status socket::connect(const endpoint& where) {
  if (zmq_connect(handle(), where.address.c_str()) == 0) return {};
  return failure("connect to", where.address, errno);
}

status socket::disconnect(const endpoint& where) {
  if (zmq_disconnect(handle(), where.address.c_str()) == 0) return {};
  return failure("disconnect from", where.address, errno);
}

status socket::unbind(const std::string& address) {
  if (zmq_unbind(handle(), address.c_str()) == 0) return {};
  return failure("unbind", address, errno);
}

void socket::set_linger(int ms) noexcept {
  if (handle_) zmq_setsockopt(handle(), ZMQ_LINGER, &ms, sizeof ms);
}

std::string socket::last_endpoint() const {
  char text[512];
  std::size_t size = sizeof text;
  if (zmq_getsockopt(handle(), ZMQ_LAST_ENDPOINT, text, &size) != 0 || size == 0) return {};
  return {text, size - 1};
}

socket::readiness socket::events() const noexcept {
  int events = 0;
  std::size_t size = sizeof events;
  if (!handle_) return {};
  may_be_ = {true, true};
  if (zmq_getsockopt(handle_, ZMQ_EVENTS, &events, &size) == 0)
    may_be_ = {(events & ZMQ_POLLIN) != 0, (events & ZMQ_POLLOUT) != 0};
  return may_be_;
}

namespace {

buffer_ref held(zmq::message_t&& message) {
  if (message.size() < keep_bytes_min)
    return copy_to_buffer(as_bytes_view(message.data(), message.size()));
  return buffer_ref(new message_buffer(std::move(message)));
}

}  // namespace

io socket::receive(std::vector<buffer_ref>& parts, std::uint64_t bytes_max) try {
  parts.clear();
  std::uint64_t sum = 0;
  bool fits = true;
  for (bool more = true; more;) {
    zmq::message_t message;
    if (zmq_msg_recv(message.handle(), handle(), ZMQ_DONTWAIT) < 0) return outcome_of(errno);
    take_over_content(message.data());
    more = message.more();
    sum += message.size();
    fits = fits && sum <= bytes_max && parts.size() < frame_parts_max;
    if (fits) parts.push_back(held(std::move(message)));
  }
  if (fits) return io::done;
  parts.clear();
  return io::too_large;
} catch (const std::exception&) {
  return io::failed;  // no memory
}

io socket::send(std::span<const part_out> parts) try {
  io outcome = io::done;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    zmq::message_t message;
    fill(message, parts[i]);
    hand_over_content(message.data());
    const bool last = i + 1 == parts.size();
    const int flags = last ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE;
    if (zmq_msg_send(message.handle(), handle(), flags) >= 0) continue;
    outcome = outcome_of(errno);
    // Nothing was sent, or the peer died between two parts. Then libzmq throws away what follows
    // up to a part without MORE: the rest must be given to it, or the next message would be lost.
    if (i == 0) return outcome;
  }
  return outcome;
} catch (const std::exception&) {
  return io::failed;  // no memory
}

}  // namespace holdfast
