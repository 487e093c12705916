// lane: one direction of a relay: moves bytes from a socket to a socket, bounded, without looking.
//
// Contract: the gate's thread calls everything but unsettled(). Sockets are non-blocking and
// registered edge-triggered: an edge sets a flag, EAGAIN clears it, so a lane asks epoll for
// nothing while it runs. Bytes are taken only when the lane is empty, which keeps "nothing to read"
// and "pipe full" apart. A lane owns a pipe only while it holds bytes; idle lanes cost none.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "devices/gate/fd.hpp"

namespace holdfast {

/// Where bytes wait between two sockets: a pipe, or a buffer where pipes cannot be had.
struct conduit {
  fd out, in;  ///< the pipe's ends
  std::unique_ptr<std::byte[]> copy;
  std::size_t copied_at = 0;  ///< copy: first byte not yet given
};

/// Empty conduits, kept for the next lane. One thread.
class conduit_pool {
 public:
  conduit_pool(std::size_t bytes, bool copy) noexcept : bytes_(bytes), copy_(copy) {}
  std::unique_ptr<conduit> take();
  void give_back(std::unique_ptr<conduit> empty);
  /// splice was refused: copy from now on.
  void never_splice() noexcept { copy_ = true; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::uint64_t copies() const noexcept { return copies_; }

 private:
  std::unique_ptr<conduit> make();
  static constexpr std::size_t kept_max = 16;
  std::vector<std::unique_ptr<conduit>> spare_;
  std::size_t bytes_;
  bool copy_;
  std::uint64_t copies_ = 0;
};

class lane {
 public:
  void source_edge() noexcept { readable_ = true; }
  void sink_edge() noexcept { writable_ = true; }
  /// Moves up to about `budget` bytes; returns how many left. more() tells whether to call again
  /// without waiting for an edge.
  std::size_t pump(int from, int to, conduit_pool& pool, std::size_t budget);
  bool more() const noexcept {
    if (sink_error_ != 0) return false;
    return held_now_ > 0 ? writable_ : readable_ && !source_ended_;
  }
  /// The source ended and everything it had sent was given on.
  bool finished() const noexcept { return source_ended_ && held_now_ == 0; }
  /// Nothing held and nothing to take.
  bool dry() const noexcept { return held_now_ == 0 && !readable_; }
  bool source_ended() const noexcept { return source_ended_; }
  int source_error() const noexcept { return source_error_; }
  int sink_error() const noexcept { return sink_error_; }
  /// The source is gone, though no read said so.
  void end_source(int error) noexcept {
    source_ended_ = true;
    source_error_ = error;
  }
  /// The sink is gone: forget what is held.
  void discard(conduit_pool& pool);
  std::uint64_t taken() const noexcept { return taken_; }

  /// Bytes held, and whether some may be between two places right now. Any thread. `moving` is read
  /// first: if it is false, everything taken before is in `bytes` or was given on.
  struct view {
    std::uint64_t bytes;
    bool moving;
  };
  view unsettled() const noexcept {
    const bool moving = moving_.load(std::memory_order_seq_cst);
    const std::uint64_t held = held_.load(std::memory_order_seq_cst);
    return {held, moving};
  }

 private:
  void take(int from, conduit_pool& pool);
  ssize_t take_once(int from, conduit_pool& pool);
  std::size_t give(int to);
  void publish() noexcept { held_.store(held_now_, std::memory_order_seq_cst); }

  std::unique_ptr<conduit> through_;
  std::size_t held_now_ = 0;
  std::uint64_t taken_ = 0;
  int source_error_ = 0, sink_error_ = 0;
  bool readable_ = true, writable_ = true, source_ended_ = false;
  std::atomic<std::uint64_t> held_{0};
  std::atomic<bool> moving_{false};
};

}  // namespace holdfast
