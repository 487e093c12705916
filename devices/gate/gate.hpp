// gate: gives each peer behind one bound address a libzmq socket of its own.
//
// libzmq cannot tell the peers of a bound PUSH, DEALER or XPUB apart. So the gate owns the TCP or
// ipc listener; for every connection it announces a peer and a private ipc name, the device binds a
// socket there, says ready(), and the gate relays bytes between the two, both ways, untouched
// (ZMTP, CURVE). The peer notices nothing; what the device hands to that socket goes to that peer
// or nowhere.
//
// Contract
// - Threads: all calls from one thread (the loop's) but counts(), which any may call. The gate has
//   one thread of its own, asleep in epoll while nothing moves. No call waits for the network.
// - Order: peer_up, then the device's ready(), then peer_down or the device's close(), each once.
//   After close() nothing more is heard of a peer. peer_down comes when the private socket has
//   taken in everything the peer had sent (or did not within drain_ms): what it still holds can be
//   received after it.
// - What hides between libzmq and the peer, at most: 208 KiB in the private connection (the
//   kernel's net.core.wmem_default; libzmq sets no SO_SNDBUF on ipc), lane_bytes in the relay,
//   unsent_bytes in the peer's socket plus what is in flight. unsent() sees all of it; it does not
//   see what the peer's kernel has acknowledged and its program not read.
// - The private name is random, yet /proc/net/unix shows it: set ZMQ_IPC_FILTER_PID on the private
//   socket to the own process.
// - Descriptors: two a peer, two more while bytes wait in its relay; libzmq adds two of its own.
// - Where splice is refused (EINVAL, ENOSYS) or pipes run out, bytes are copied through a buffer of
//   lane_bytes: the same bounds, more CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "holdfast/status.hpp"

namespace holdfast {

struct gate_options {
  std::uint32_t peers_max = 1024;  ///< per listener; beyond it connections are closed, counted
  std::uint32_t lane_bytes = 64 * 1024;     ///< in the relay, each direction
  std::uint32_t unsent_bytes = 128 * 1024;  ///< not yet on the wire in the peer's socket
  /// A TCP peer that answers nothing for so long is down: keepalive when idle, unacknowledged data
  /// or window probes otherwise. A stopped program is not: its kernel answers. (TCP_USER_TIMEOUT
  /// would cut those too.) 0 = leave it to the kernel: about 15 minutes with data under way, never
  /// when idle. At least 3 000; after a long stop the kernel probes every two minutes only.
  std::uint32_t peer_timeout_ms = 30'000;
  std::uint32_t drain_ms = 2'000;       ///< an ending peer is given so long without progress
  std::uint32_t accept_pause_ms = 500;  ///< when descriptors ran out
  int backlog = 128;
  bool ipv6 = false;       ///< `tcp://*` means [::] (both families) instead of 0.0.0.0
  bool copy = false;       ///< never splice
  std::uint64_t seed = 0;  ///< of the private names; 0 = drawn from the system
};

/// A connection, counted from 1 in each gate; never reused.
using gate_peer = std::uint64_t;

enum class gate_end : std::uint8_t {
  closed,         ///< the peer ended the connection
  reset,          ///< the connection broke; the text has the errno
  vanished,       ///< answered nothing for peer_timeout_ms
  not_bound,      ///< ready() was called and nobody listened at the private name
  device_closed,  ///< the private socket ended; everything it had sent went out
  not_drained,    ///< the private socket ended; the peer did not take the rest in time
};

struct gate_event {
  enum class kind : std::uint8_t {
    peer_up,
    peer_down,
    peer_drained,   ///< asked for by wake_when_drained()
    accept_paused,  ///< descriptors ran out: accepting goes on after accept_pause_ms
  };
  kind what{};
  gate_end end{};            ///< peer_down
  gate_peer peer = 0;        ///< 0 for accept_paused
  std::uint64_t cookie = 0;  ///< of its listener
  std::string endpoint;      ///< peer_up: where to bind: "ipc://@holdfast-..."
  std::string text;          ///< peer_up: who it is; else why, for people
};

/// Since the gate was opened.
struct gate_counts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;        ///< beyond peers_max
  std::uint64_t accept_pauses = 0;  ///< descriptors ran out
  std::uint64_t copied_lanes =
      0;                        ///< times bytes were copied because splice or pipes were not there
  std::uint64_t bytes_in = 0;   ///< from peers, taken off their sockets
  std::uint64_t bytes_out = 0;  ///< to peers, likewise off the private connections
  std::uint64_t wakeups = 0;    ///< of the gate's thread
};

/// What the device handed over and the peer's kernel has not acknowledged.
struct gate_backlog {
  /// Not yet on the wire: what room for more should be judged by.
  std::uint64_t waiting = 0;
  /// With what is in flight. For ipc peers the kernel counts memory, somewhat more than the bytes.
  std::uint64_t bytes = 0;
  bool idle = false;  ///< nothing at all under way; never true too early
};

class gate_thread;
struct gate_link;

class gate {
 public:
  static result<gate> open(const gate_options& options = {});
  gate(gate&&) noexcept;
  gate& operator=(gate&&) noexcept;
  ~gate();  ///< stops: every connection is cut

  /// Listens at "tcp://..." or "ipc://..." (libzmq's notation, wildcards * and port 0 included);
  /// returns the actual endpoint. `cookie` comes back with every peer and names the listener. A
  /// socket file left over by a dead process is replaced, a live one never.
  result<std::string> listen(std::string_view endpoint, std::uint64_t cookie);
  /// Accepts no more there; its peers stay.
  void unlisten(std::uint64_t cookie);

  /// Readable when poll() has something.
  int wake_fd() const noexcept;
  /// Appends what happened.
  void poll(std::vector<gate_event>& out);

  /// The private socket is bound: connect and relay. A peer that is gone already is no error.
  void ready(gate_peer peer);
  /// Cuts both sides at once. To let go what was handed over, close the private socket (with
  /// LINGER) and wait for peer_down instead.
  void close(gate_peer peer);

  /// Four system calls: ask when it matters, not per message. A peer that is gone or not ready:
  /// no bytes, not idle.
  gate_backlog unsent(gate_peer peer) const noexcept;
  /// One peer_drained when what the private socket sent is out of the relay: `waiting` is then at
  /// most unsent_bytes and a send. Ask unsent() once more after this call: it may have happened
  /// already.
  void wake_when_drained(gate_peer peer) noexcept;
  gate_counts counts() const noexcept;

 private:
  explicit gate(std::unique_ptr<gate_thread> thread) noexcept;
  std::unique_ptr<gate_thread> thread_;
  std::unordered_map<gate_peer, std::shared_ptr<gate_link>> links_;
};

}  // namespace holdfast
