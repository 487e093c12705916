// socket: one libzmq socket, owned. Every option that matters is set explicitly before the first
// bind or connect; nothing here ever blocks; no exception leaves.
//
// Contract: move-only, one thread. Units: HWMs in messages (libzmq knows no bytes), sizes in bytes,
// times in ms. A received part is a buffer_ref whose owner holds the very ZeroMQ message
// (buffer::kind::zmq_message); sent whole it is forwarded without a copy. Errors carry the endpoint
// and the system's text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "devices/transport/context.hpp"
#include "devices/transport/endpoint.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// sub: subscribed to everything. xpub: subscriptions can be received.
enum class socket_kind : std::uint8_t { push, pull, router, dealer, pair, sub, xpub };

struct socket_options {
  int send_hwm = 1000;     ///< 0 = unlimited: only where something else bounds it in bytes
  int receive_hwm = 1000;  ///< 0 is refused: a sender must feel the bound
  std::int64_t max_part = 256ll << 20;  ///< bytes; libzmq drops a peer that sends more
  int linger_ms = 0;
  bool immediate = true;  ///< queue only to peers that are there
  bool ipv6 = false;
  int heartbeat_ms = 0;          ///< ZMTP ping; 0 = off
  int heartbeat_timeout_ms = 0;  ///< 0 = three heartbeats
  int reconnect_ms = 100;
  int reconnect_max_ms = 5000;
  int handshake_ms = 10'000;
  int backlog = 128;
  bool own_process_only = false;  ///< ipc: refuse connections from other processes
  bool own_user_only = false;     ///< ipc: refuse connections of other users, root excepted
  /// xpub: a send waits (would_block) for the subscriber that has no room, instead of leaving it
  /// out in silence. Set once: libzmq 4.3.4 skips subscribers when it changes.
  bool no_drop = true;
};

/// What a call that cannot wait came to.
enum class io : std::uint8_t {
  done,
  would_block,  ///< nothing there, or no room; nothing was taken or sent
  too_large,    ///< receive: beyond the limit; the message was read and thrown away
  unreachable,  ///< ROUTER: no such peer
  failed,       ///< anything else: the socket is of no more use (context closed, not a socket)
};

/// One part to send. `keep` null: the bytes are copied. Else the bytes are (a slice of) *keep,
/// forwarded or referenced instead of copied where that is cheaper.
struct part_out {
  bytes_view bytes;
  const buffer_ref* keep = nullptr;
};

class message_reader;

class socket {
 public:
  static result<socket> open(const context& in, socket_kind kind, const socket_options& options);
  socket() noexcept = default;
  socket(socket&& other) noexcept;
  socket& operator=(socket&& other) noexcept;
  ~socket();

  status bind(const endpoint& where);
  status connect(const endpoint& where);
  status attach(const endpoint& where) { return where.binds() ? bind(where) : connect(where); }
  status disconnect(const endpoint& where);
  /// Accepts no new connections; those that are there stay.
  status unbind(const std::string& address);
  /// What close() may take to hand over what was sent; bounded always.
  void set_linger(int ms) noexcept;
  /// Where the last bind ended up ("tcp://127.0.0.1:49153" after a wildcard port).
  std::string last_endpoint() const;
  void close() noexcept;

  /// Receives one multipart; `parts` is replaced (capacity kept). Beyond `bytes_max` in sum the
  /// message is thrown away.
  io receive(std::vector<buffer_ref>& parts, std::uint64_t bytes_max);
  /// Sends one multipart whole or not at all.
  io send(std::span<const part_out> parts);

  /// What poll(2) may wait for. It is raised once for news of any kind: after it was, and after
  /// every send, only events() tells whether there is something.
  int fd() const noexcept { return fd_; }
  struct readiness {
    bool readable = false, writable = false;
  };
  /// Both of a socket that failed: the next call tells.
  readiness events() const noexcept;
  /// What may be without fd() telling it: what events() found last, and after any other call all.
  readiness may_be() const noexcept { return may_be_; }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// To call libzmq with.
  void* handle() const noexcept {
    may_be_ = {true, true};
    return handle_;
  }

 private:
  void* handle_ = nullptr;
  int fd_ = -1;
  std::string inproc_;  // the name it is bound to
  mutable readiness may_be_{true, true};
};

}  // namespace holdfast
