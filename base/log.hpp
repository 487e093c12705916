// log: what a device's loop sees of the journal. Called per turn and per block, never per message.
//
// Contract: one thread (the loop's) calls everything. Nothing here waits for the disk: append
// queues, progress() reports, read() answers `pending` instead of touching a cold page. Tickets,
// not positions, name what was appended: after a failed fdatasync records are rewritten elsewhere
// under the same tickets. Source of the shape: docs/architecture.md, "Seams".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/record.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// Append ordinal: the n-th record appended since open, counted from 1. 0 = nothing.
using ticket = std::uint64_t;

/// What may still be appended before the disk, the quota or the memory budget says no. Bytes of
/// record bodies.
struct room {
  std::uint64_t message_bytes = 0;  ///< blocks
  std::uint64_t control_bytes = 0;  ///< acks, definitions, checkpoints: has a reserve of its own
  std::uint64_t reply_bytes = 0;    ///< blocks that finish others: may use a part of that reserve
  bool failed = false;              ///< the journal refuses writes for good (see marks::failure)
};

/// How far the records have come. process = written; interval = written; disk = synced.
/// Invariant: synced <= written <= appended, each monotonic.
struct marks {
  ticket appended = 0;
  ticket written = 0;
  ticket synced = 0;
  const status* failure =
      nullptr;  ///< set once the journal has failed for good; valid while the log lives
  ticket at(level need) const noexcept { return need == level::disk ? synced : written; }
};

/// A block read back, whole: the entries of [first, first + count).
struct block {
  stream_id stream = no_stream;
  std::uint64_t first = 0;
  std::uint16_t count = 0;
  std::uint8_t props_mask = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t body_sum = 0;
  std::uint32_t producer = 0;
  std::uint64_t producer_number = 0;
  buffer_ref body;
};

struct read_limits {
  std::uint32_t messages = 0;  ///< stop after the block that reaches this many messages from `from`
  std::uint64_t bytes = 0;     ///< likewise for body bytes; the first block always passes
};

/// Outcome of read().
enum class fetch : std::uint8_t {
  ok,       ///< blocks were added; the first contains `from`
  pending,  ///< being loaded; progress() changes or the wake descriptor fires when it is worth
            ///< asking again
  gap,      ///< `from` is not there (trimmed or corrupt); the answer's `missing` says up to where
  end,      ///< `from` is beyond what was appended
};
struct fetched {
  fetch outcome = fetch::end;
  range missing;  ///< for gap: exactly what cannot be had, starting at `from`
};

class log {
 public:
  virtual ~log() = default;

  virtual room available() const noexcept = 0;
  /// Queues records in order; returns the ticket of the last. Makes no system call but one wake-up
  /// of an idle commit thread a turn. A batch (batch_more .. batch_end) never straddles segments
  /// and is recovered whole or not at all.
  virtual ticket append(std::span<append_item> items) noexcept = 0;
  /// To be called before progress() by who would sleep after it: what was appended last and is
  /// small is then written and synced by the caller, if the disk is quick.
  virtual void before_sleep() noexcept {}
  /// Takes in what the storage finished. Call once a turn and when wake_fd() is readable.
  virtual marks progress() noexcept = 0;
  /// Adds blocks of `stream` that contain `from` and follow it, whole, in order. Only what is
  /// written can be read; the caller compares with its own visible limit.
  virtual fetched read(stream_id stream, std::uint64_t from, read_limits limits,
                       std::vector<block>& out) = 0;
  /// These messages are no longer live: their space may be reclaimed once the records that say so
  /// are durable.
  virtual void settle(stream_id stream, std::span<const range> ranges) = 0;
  /// Everything of `stream` below `to` is no longer live.
  virtual void trim(stream_id stream, std::uint64_t to) = 0;
  /// Position the next append will get: what a checkpoint row written now is "as of".
  virtual std::uint64_t next_position() const noexcept = 0;
  /// Next time progress() should be called even if nothing happens (interval syncs, idle
  /// watermark), monotonic ns.
  virtual std::uint64_t next_deadline() const noexcept = 0;
  /// Readable when progress() has something to take in; -1 where there is none (virtual storage).
  virtual int wake_fd() const noexcept = 0;
};

}  // namespace holdfast
