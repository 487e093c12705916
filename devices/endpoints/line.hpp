// line: a link's connection to its device: over TCP and ipc ZMTP that the library speaks itself
// (wire_line), so that no thread stands between a call and the kernel; for inproc, and for what
// only libzmq understands of an address, a DEALER of libzmq (socket_line).
//
// Contract: one thread at a time; no call waits, but linger(), and the resolution of a host's name.
// Frames leave in order, and with flush() at the latest.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "devices/transport/context.hpp"
#include "devices/transport/endpoint.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

class line {
 public:
  /// What came of a call. `unreachable`: the connection ended, or never was: it is of no more use.
  /// `failed`: nor is any other (the context was closed).
  using outcome = io;

  /// Begins to connect. `max_message`: bytes, of what may be received. Errors: what no later
  /// attempt could mend.
  static result<std::unique_ptr<line>> open(const context& in, const endpoint& to,
                                            std::uint64_t max_message);
  virtual ~line() = default;
  line(const line&) = delete;
  line& operator=(const line&) = delete;

  /// For poll(2): readable, and while it `waits_to_write` writable.
  virtual int fd() const noexcept = 0;
  virtual bool waits_to_write() const noexcept { return false; }
  /// The descriptor was raised.
  virtual void rouse() noexcept {}
  /// would_block: not yet; after what is there left, or the connection has come to be.
  virtual outcome send(std::span<const part_out> parts) = 0;
  virtual outcome flush() { return outcome::done; }
  /// The next frame; `parts` is replaced (capacity kept).
  virtual outcome receive(std::vector<buffer_ref>& parts) = 0;
  /// After a send: what there may be without the descriptor telling.
  virtual socket::readiness untold() const noexcept { return {}; }
  /// Before the end: what was sent may take so long to leave.
  virtual void linger(int ms) noexcept = 0;

 protected:
  line() = default;
};

}  // namespace holdfast
