// ready: what a step asks of its driver: records to append, and frames to send once those records
// are durable.
//
// Contract: owned by the loop and reused, so that a turn allocates nothing once warm. A frame with
// `after` = n may leave when the first n records of the same ready are durable at `need`; after = 0
// means at once. Frames to one peer leave in order: a waiting one holds the later ones to that
// peer, never to others.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/record.hpp"
#include "patterns/topic_filter.hpp"

namespace holdfast {

/// A connection as the transport names it. Never reused while the process lives. 0 = nobody.
using peer_id = std::uint64_t;

/// First part of an outgoing frame, encoded; bigger heads (maps) use a buffer.
class small_head {
 public:
  static constexpr std::size_t capacity = 64;
  void assign(bytes_view bytes) noexcept {
    size_ = static_cast<std::uint8_t>(bytes.size());
    std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  bytes_view bytes() const noexcept { return {bytes_.data(), size_}; }
  std::span<std::byte> writable() noexcept { return bytes_; }
  void set_size(std::size_t size) noexcept { size_ = static_cast<std::uint8_t>(size); }

 private:
  std::array<std::byte, capacity> bytes_{};
  std::uint8_t size_ = 0;
};

/// Messages still in the log: the driver reads them, cuts them to the limits, and reports what it
/// cut.
struct run {
  stream_id stream = no_stream;
  std::uint64_t first = 0;
  std::uint32_t count = 0;    ///< at most so many
  std::uint64_t bytes = 0;    ///< at most so many body bytes; the first message always passes
  bool whole_blocks = false;  ///< may end at a block boundary beyond the limits, never beyond reach
  std::uint32_t reach = 0;    ///< [first, first + reach) is this run's until on_cut; >= count
  std::uint64_t token = 0;    ///< given back in on_cut
  std::uint16_t skip_parts = 0;  ///< enveloped: leading parts of each entry that stay here
  /// Only entries that match leave; the others count as taken. Null: all match. With a filter or
  /// since_ns, `count` and `bytes` bound what leaves, `reach` what is looked through.
  std::shared_ptr<const topic_filter> filter;
  std::uint64_t since_ns = 0;  ///< only entries of blocks the device took at or after this time
};

/// What kind of peer a frame is for; the driver's transport encodes accordingly. A run becomes one
/// frame a block (or part of one); each gets the head, patched (patch_deliver in frame_codec.hpp).
/// simple: the head of a run is an encoded `deliver` too; the driver makes a deliver_simple from it
/// for each entry. plain: the head is empty, or, in ack_back mode, the first message's delivery_id
/// in 16 bytes (u32 stream, u32 stream epoch, u64 sequence). Entries that are void are not sent to
/// simple and plain peers; they count as taken.
enum class frame_form : std::uint8_t {
  hfp,        ///< first part = head, second = body
  simple,     ///< HFP simple form: one frame a message
  plain,      ///< raw ZeroMQ: each entry of the body becomes a multipart message, no head
  enveloped,  ///< raw ZeroMQ: the envelope's parts, then (with a run) the entry's from skip_parts
              ///< on
};

struct frame_out {
  peer_id to = 0;
  std::uint32_t after = 0;  ///< records of this ready that must be durable first
  level need = level::disk;
  frame_form form = frame_form::hfp;
  small_head head;
  /// monostate: the head alone; buffer_ref: a long head (control map) that replaces `head`; run: a
  /// delivery
  std::variant<std::monostate, buffer_ref, run> body;
  buffer_ref envelope;  ///< enveloped: patterns/envelope.hpp
  /// A run that has not left by then (realtime) comes back untouched.
  std::uint64_t until_real_ns = never_ns;
};

struct ready {
  std::vector<append_item> records;
  std::vector<frame_out> frames;
  std::vector<std::pair<stream_id, range>>
      settled;  ///< to log::settle once the records are durable
  std::vector<std::pair<stream_id, std::uint64_t>>
      trimmed;  ///< to log::trim once the records are durable
  void clear() noexcept {
    records.clear();
    frames.clear();
    settled.clear();
    trimmed.clear();
  }
  bool empty() const noexcept {
    return records.empty() && frames.empty() && settled.empty() && trimmed.empty();
  }
};

/// What the driver did with a run: `count` messages and `bytes` left; the rest of what was asked
/// returns to the pattern. `missing` (count 0 if none): these cannot be had at all (corrupt or
/// trimmed), starting where it stopped.
struct cut {
  std::uint64_t token = 0;
  std::uint32_t count = 0;  ///< taken, those that do not match included
  std::uint64_t bytes = 0;
  /// Of them, those that left. Plain peers: as plain_report will count them.
  std::uint32_t sent = 0;
  std::uint64_t last_sent = 0;  ///< the highest sequence that left; 0 if none did
  std::uint32_t entries = 0;    ///< in the bodies that left: sent, and the void ones between them
  range missing;
};

/// Where a frame came in, which says what protocol its peer speaks.
enum class door : std::uint8_t {
  hfp,    ///< a reliable endpoint
  plain,  ///< an unmodified peer: a REQ or DEALER client, a REP worker, a subscriber's XPUB frames
  ready,  ///< DEALER workers that say READY
  mdp,    ///< Majordomo clients and workers
};

/// One multipart as received, without what a ROUTER adds. The first part is `head`; `parts` follow
/// it. Valid during the call; references may be kept.
struct frame_in {
  peer_id from = 0;
  buffer_ref head;
  std::span<const buffer_ref> parts;
  door from_door = door::hfp;
  stream_id stream = no_stream;  ///< plain and ready doors: the endpoint's address
};

/// A block the driver packed from plain messages of one loop turn, and sealed (patterns/block.hpp).
struct plain_block {
  stream_id stream = no_stream;
  std::uint16_t count = 0;
  std::uint8_t props_mask = 0;
  std::uint64_t body_sum = 0;
  buffer_ref body;
};
/// Its record; first sequence and level are the pattern's to fill in.
inline append_item record_of(plain_block&& block, std::uint64_t time_ns) {
  append_item made;
  made.head.type = record_type::block;
  made.head.count = block.count;
  made.head.stream = block.stream;
  made.head.time_ns = time_ns;
  made.head.body_sum = block.body_sum;
  made.head.props_mask = block.props_mask;
  made.body = std::move(block.body);
  return made;
}

/// What a step may know of the world.
struct step {
  instant at;
  room available;
  marks log;
};

}  // namespace holdfast
