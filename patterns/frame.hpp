// HFP/1 frames as structs, with the numbers they have on the wire. patterns/frame_codec turns them
// into bytes and back; docs/wire_protocol.md is the same in prose. Numbers are never reused.
//
// Every first part begins with 'H' 'F', major version, type, session (u32): frozen for ever. Data
// frames (publish, deliver) have exactly two parts, header and body (a block, patterns/block.hpp).
// The other hot frames (accept, ack, credit) are fixed little-endian structs; rare ones are
// MessagePack maps after the prefix.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/record.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

inline constexpr std::uint8_t protocol_major = 1;
inline constexpr std::size_t frame_prefix_bytes = 8;

enum class frame_type : std::uint8_t {
  // session, MessagePack maps
  hello = 1,
  welcome = 2,
  refuse_version = 3,  // prefix, u8 min, u8 max: frozen
  reset = 4,           // prefix only: the device does not know this session
  bye = 5,
  ping = 6,  // prefix only
  pong = 7,  // prefix only
  attach = 8,
  attached = 9,
  attach_refused = 10,
  describe = 11,  // prefix only, no session needed: what is this endpoint, and what does it promise
  described = 12,  // prefix + JSON text (docs/wire_protocol.md)
  // producing
  publish = 16,         // header + block
  accept = 17,          // fixed
  refuse = 18,          // map
  resync = 19,          // fixed
  resume = 20,          // fixed
  probe = 21,           // fixed; answered with accept
  publish_simple = 22,  // prefix + map, then the message's parts
  // consuming
  credit = 32,          // fixed
  deliver = 33,         // header + block or run of entries
  ack = 34,             // fixed + ranges
  acked = 35,           // fixed
  nack = 36,            // map
  touch = 37,           // map
  deliver_simple = 38,  // prefix + map, then the message's parts
  ack_simple = 39,      // map
  gap = 40,             // map: these will never come
  // answering requests
  reply = 48,    // fixed + a body of one entry
  replied = 49,  // fixed
};

using bytes16 = std::array<std::byte, 16>;

/// endpoint -> device. First frame of a connection; session 0 in the prefix.
struct hello {
  std::uint8_t version_min = protocol_major, version_max = protocol_major;
  std::string
      producer_id;  ///< 1-255 bytes; for an unnamed endpoint 16 random bytes with named = false
  bool named =
      false;  ///< a named id is kept until deleted; an unnamed one until BYE or one hour after loss
  bytes16 nonce{};                    ///< of this instance: a new process draws a new one
  std::uint32_t epoch = 0;            ///< the epoch this instance was given before; 0 = first time
  std::uint32_t heartbeat_ms = 1000;  ///< 0 only in simple form
  bool simple = false;
};

struct welcome {
  std::uint8_t version = protocol_major;
  std::uint32_t session = 0;  ///< goes into every later prefix
  std::uint32_t epoch = 0;
  std::uint32_t heartbeat_ms = 1000;
  std::uint32_t window_messages = 0;  ///< unaccepted at most
  std::uint64_t window_bytes = 0;
  std::uint64_t max_message = 0;
};

enum class attach_role : std::uint8_t {
  produce = 1,
  consume = 2,
  replies = 3,  ///< request-reply: the answers to this producer's requests to a service
};

/// Where a subscription begins. Numbers are for ever.
enum class start_at : std::uint8_t {
  next = 1,      ///< what comes from now on
  first = 2,     ///< the oldest that is kept
  last = 3,      ///< the newest that is there
  sequence = 4,  ///< `at`
  time = 5,      ///< the first the device took at or after `at`, ns since 1970 UTC
  known = 6,     ///< where the durable subscription is; not_found if there is none of this name
};

/// endpoint -> device: use `address` (empty = the channel's default) as producer or consumer.
struct attach {
  std::uint32_t request = 0;  ///< echoed
  attach_role role = attach_role::produce;
  std::string address;
  level need = level::disk;  ///< asked for the accepts; the channel's level bounds it from above
  // Subscribing. A durable subscription that is known goes on where it was; `start` is for new
  // ones.
  std::string group = {};  ///< name of a durable subscription; empty: ends with the session
  start_at start = start_at::next;
  std::uint64_t at = 0;                  ///< for start sequence and time
  std::vector<std::string> filter = {};  ///< prefixes of the first part; none: everything
};
struct attached {
  std::uint32_t request = 0;
  stream_id stream = no_stream;
  std::uint32_t stream_epoch = 0;
  std::uint64_t next_number = 1;       ///< produce: the only number accepted next
  std::uint64_t accepted_through = 0;  ///< produce: durable at the level asked
  level effective = level::disk;
  std::uint32_t interval_ms = 0;    ///< for level interval
  std::uint32_t lease_ms = 30'000;  ///< consume
  std::uint64_t next_sequence = 1, lowest_sequence = 1;
};
struct attach_refused {
  std::uint32_t request = 0;
  errc code{};
  std::string text;
};

/// Fixed header of a data frame toward the device. The body is a block.
struct publish {
  stream_id stream = no_stream;
  std::uint64_t first_number = 0;  ///< producer's number of the first message
  std::uint16_t count = 0;
  std::uint8_t props_mask = 0;
  std::uint64_t body_sum = 0;  ///< checksum(body)
};
/// Everything of `stream` up to `through` is durable at `reached`.
struct accept {
  stream_id stream = no_stream;
  std::uint64_t through = 0;
  level reached = level::disk;
};
/// A block was refused whole; nothing of it was consumed.
struct refuse {
  stream_id stream = no_stream;
  std::uint64_t first_number = 0;
  std::uint16_t count = 0;
  errc code{};
  bool permanent =
      false;  ///< permanent: entry `bad_entry` must be replaced by a void one; else wait for RESUME
  std::uint16_t bad_entry = 0;
  std::string text;
};
/// The next number the device will take; go back to it.
struct resync {
  stream_id stream = no_stream;
  std::uint64_t expected = 0;
};
/// A transient refusal is over; send again from `expected`.
struct resume {
  stream_id stream = no_stream;
  std::uint64_t expected = 0;
};
struct probe {
  stream_id stream = no_stream;
};

/// consumer -> device: may take this many more, cumulative since ATTACHED (so a repeated frame
/// changes nothing).
struct credit {
  stream_id stream = no_stream;
  std::uint64_t messages_total = 0;
  std::uint64_t bytes_total = 0;
  bool whole_blocks = false;  ///< batch consumer: blocks may exceed what is left by one block
};
/// Fixed header of a data frame toward a consumer. The body is a run of entries.
struct deliver {
  stream_id stream = no_stream;
  std::uint64_t first_sequence = 0;
  std::uint16_t count = 0;
  std::uint8_t props_mask = 0;
  bool whole = false;            ///< the body is the producer's block as it came: body_sum holds
  std::uint8_t redelivered = 0;  ///< 0 no, 1 maybe (after a restart), 2 yes
  std::uint16_t attempt = 1;
  std::uint64_t time_ns = 0;
  std::uint64_t body_sum = 0;
};
struct ack {
  stream_id stream = no_stream;
  std::uint64_t number = 0;  ///< of this ack frame in its session and stream, from 1
  std::vector<range> ranges;
};
/// Ack frames up to `through` are durable.
struct acked {
  stream_id stream = no_stream;
  std::uint64_t through = 0;
};

enum class nack_kind : std::uint8_t {
  nack = 1,     ///< counts as a failure; due again after the delay or the back-off
  release = 2,  ///< handed back unharmed: does not count
  reject = 3,   ///< to the dead letters now
};
struct nack {
  stream_id stream = no_stream;
  nack_kind kind = nack_kind::nack;
  std::uint64_t delay_ms = 0;  ///< 0 = the back-off
  std::string reason;          ///< at most 1 KiB
  std::vector<range> ranges;
};
struct touch {
  stream_id stream = no_stream;
  std::uint64_t extend_ms = 0;  ///< 0 = the lease again
  std::vector<range> ranges;
};

/// Messages of a subscription that will never come.
enum class gap_cause : std::uint8_t { retention = 1, corrupt = 2, power_loss = 3 };
struct gap {
  stream_id stream = no_stream;
  range messages;
  gap_cause cause{};
};

/// Fixed header of replies toward the device; the body has an entry for each, in order: reply head
/// and parts (patterns/reqrep/head.hpp).
struct reply_frame {
  stream_id stream = no_stream;  ///< the service
  range requests;                ///< whose replies these are, block_messages_max at most
  std::uint16_t attempt = 1;     ///< as they were delivered
  std::uint64_t body_sum = 0;
};
enum class reply_outcome : std::uint8_t {
  stored = 1,  ///< durable: the request is done
  late = 2,    ///< somebody else had answered, or the request was given up; dropped and counted
};
struct replied {
  stream_id stream = no_stream;
  range requests;
  reply_outcome outcome{};
};

}  // namespace holdfast
