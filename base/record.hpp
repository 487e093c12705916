// What a journal record is, for those who write and replay it. The bytes on disk are
// journal/format.hpp.
#pragma once

#include <cstdint>

#include "base/buffer.hpp"

namespace holdfast {

/// How durable a record must be before anybody may see it. Ordered: a higher one includes the lower
/// ones.
enum class level : std::uint8_t {
  process = 1,   ///< written: survives kill -9 of the device
  interval = 2,  ///< accepted once written; synced at least every stated interval
  disk = 3,      ///< fdatasync returned
};

/// 0 is "no stream": records of the whole device. Streams are numbered by patterns/catalog.
using stream_id = std::uint32_t;
inline constexpr stream_id no_stream = 0;

/// Record types. Numbers are for ever (docs/journal_format.md). 1-15 belong to the journal, 16-63
/// to all patterns, 64 and up to one pattern each.
enum class record_type : std::uint8_t {
  watermark = 1,      ///< idle watermark: no body
  gap = 2,            ///< recovery's report: what was cut or could not be proven
  closed = 3,         ///< written by an orderly stop: nothing follows in its segment
  pad = 4,            ///< fills a page at the end of a commit: nothing but zeros
  block = 16,         ///< a run of messages of one stream; body = entries (patterns/block.hpp)
  channel_def = 17,   ///< a channel's name and pattern
  stream_def = 18,    ///< a stream's id, channel and address
  producer_def = 19,  ///< a producer's interned number, id, epoch and instance nonce
  producer_gone = 20,
  group_ack = 24,      ///< ranges a group has finished with
  group_fail = 25,     ///< ranges nacked or timed out: counted, due again at a time
  group_handout = 26,  ///< sequences below this may have been handed out
  group_dead = 27,     ///< ranges given up, with the reason
  trim = 28,           ///< everything of a stream below a sequence is no longer kept
  // pubsub
  subscription_def = 64,   ///< a durable subscription: its name, where it began, what it wants
  subscription_ack = 65,   ///< how far it is
  subscription_gone = 66,  ///< it is no more
};

/// Flags of a record header (formats are in journal/format.hpp).
namespace record_flag {
inline constexpr std::uint8_t batch_more = 1;  ///< the next record belongs to the same atomic batch
inline constexpr std::uint8_t batch_end = 2;   ///< last record of a batch of several
inline constexpr std::uint8_t relocated = 4;
inline constexpr std::uint8_t compressed = 8;
inline constexpr std::uint8_t invisible = 16;
}  // namespace record_flag

/// The part of a record header that its maker fills; the journal adds length, position, sums and
/// watermark.
struct record_head {
  record_type type{};
  std::uint8_t flags = 0;
  std::uint16_t count = 0;  ///< messages in a block, else 0
  stream_id stream = no_stream;
  std::uint64_t first_sequence = 0;
  std::uint64_t time_ns = 0;   ///< realtime, not clamped
  std::uint64_t body_sum = 0;  ///< checksum(body), made by whoever made the body
  std::uint32_t producer = 0;  ///< interned; 0 = none
  std::uint16_t body_format = 0;
  std::uint8_t props_mask = 0;
  level need = level::disk;
  std::uint64_t producer_number = 0;
};

/// One record to append. The body is held until it is durable and written from where it lies.
struct append_item {
  record_head head;
  buffer_ref body;
};

/// One record as read back. `body` is valid during the call that hands it over.
struct record_view {
  record_head head;
  bytes_view body;
  std::uint64_t position = 0;  ///< byte address in the journal, monotonic for ever
  bool lost = false;           ///< a block whose body is damaged: `body` is empty, its numbers are
                               ///< taken all the same
};

/// A consecutive run of messages of one stream.
struct range {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t end() const noexcept { return first + count; }
  friend bool operator==(const range&, const range&) = default;
};

}  // namespace holdfast
