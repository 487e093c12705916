// pattern: the device-side state machine of one channel, as its loop drives it. Sans-IO: bytes and
// time in, a ready out; the same code runs live, in replay at start, and in the simulator.
//
// Contract: all calls from one thread, per turn, never per message. After restore() and replay() of
// every later record the state is what it was before the stop, but for what was never durable.
// replay() applies a record to an object only at or after the object's `as_of` position (a
// checkpoint is written in slices).
#pragma once

#include <cstdint>
#include <span>

#include "base/record.hpp"
#include "patterns/plain_tracking.hpp"
#include "patterns/ready.hpp"
#include "patterns/state.hpp"
#include "patterns/stats.hpp"

namespace holdfast {

struct plain_peer {
  peer_id peer = 0;
  plain_tracking tracking = plain_tracking::separate;
  std::string name;  ///< for people: the peer's address as the gate saw it, or the endpoint
  stream_id stream = no_stream;
  std::uint32_t in_doubt_messages = 4096;
  std::uint64_t in_doubt_bytes_min = 0;  ///< younger hand-offs stay in doubt whatever their number
  std::uint64_t in_doubt_bytes = 64ull << 20;
  std::uint64_t settle_idle_ns = 30 * second_ns;
  std::string durable;  ///< pubsub: the subscription's name; empty: it ends with the peer
};

/// What the driver knows of a plain peer, cumulative since it joined, so that a repeated report
/// changes nothing.
struct plain_report {
  peer_id peer = 0;
  std::uint64_t handed = 0;  ///< messages given to libzmq, of those delivered to it, in order
  std::uint64_t room =
      0;  ///< messages it may be delivered in all (handed + what its local queue may hold)
  bool idle = false;  ///< nothing unsent in the relay or the kernel right now
};

/// Names one delivery to a plain peer in ack_back mode; 16 bytes on the wire: stream, stream epoch,
/// sequence.
struct delivery_id {
  stream_id stream = no_stream;
  std::uint32_t stream_epoch = 0;
  std::uint64_t sequence = 0;
};

class pattern {
 public:
  virtual ~pattern() = default;

  virtual void restore(state_reader& rows) = 0;
  virtual void replay(std::span<const record_view> records) = 0;
  /// Ends replay: the log's marks and time are now live. Leases of before are gone, their messages
  /// are ready again.
  virtual void start(const step& now) = 0;

  virtual void on_frames(std::span<const frame_in> frames, const step& now) = 0;
  virtual void on_plain(std::span<plain_block> blocks, const step& now) = 0;
  virtual void on_plain_joined(const plain_peer& peer, const step& now) = 0;
  virtual void on_plain_report(const plain_report& report, const step& now) = 0;
  virtual void on_plain_acks(std::span<const delivery_id> acks, const step& now) = 0;
  /// The transport lost this peer for certain (plain connections; a ROUTER cannot tell).
  virtual void on_peer_lost(peer_id peer, const step& now) = 0;
  /// Whether its taker is still there: asked when a run could leave, which may have had to wait.
  /// One that is not awaited does not leave; its cut says so.
  virtual bool awaits(const run& what) = 0;
  virtual void on_cut(const cut& what, const step& now) = 0;
  /// Time passed or the log's marks moved.
  virtual void on_tick(const step& now) = 0;
  virtual std::uint64_t next_deadline() const = 0;
  /// Appends to `out`. The driver calls it after every input and until nothing comes. Frames whose
  /// run could not be read yet stay with the driver; a peer has at most one run outstanding until
  /// on_cut.
  virtual void take_ready(ready& out) = 0;
  /// The records of what was taken since the last such call were appended, in order and in one
  /// piece; the last of them got this ticket. Called right after the append, before any other verb.
  virtual void on_appended(ticket last) = 0;
  /// Writes rows until the budget (bytes) is spent; true when all rows of this snapshot are
  /// written.
  virtual bool snapshot(state_writer& rows, std::size_t budget) = 0;
  /// Adds this channel's figures. For `status` and tests; costs a walk over queues and consumers.
  virtual void report(channel_stats& out) const = 0;
};

}  // namespace holdfast
