// records: bodies of control records, as docs/journal_format.md lays them out ("Control
// records").
//
// Contract: pure. Encoders return a body with its checksum already in the head. Decoders fail on a
// body they cannot read; the replayer then skips the record and counts it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/catalog.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// How a group finished with messages. Numbers are for ever.
enum class finish : std::uint8_t {
  acked = 1,      ///< a consumer said so
  settled = 2,    ///< handed to a plain receiver, or void
  dropped = 3,    ///< could not be read any more
  expired = 4,    ///< its deadline passed
  retention = 5,  ///< beyond the limits of its queue, and nobody had it; counts as dropped
};
/// Why messages failed or died. Numbers are for ever.
enum class failure : std::uint8_t {
  nacked = 1,
  lease_expired = 2,
  rejected = 3,
  attempts = 4,     ///< failed too often
  worker_lost = 5,  ///< its worker went away while it held it
};

struct group_ack_record {
  finish how = finish::acked;
  std::vector<range> ranges;
};
struct group_fail_record {
  failure why = failure::nacked;
  std::uint16_t failed = 0;       ///< failures so far, this one included
  std::uint64_t due_real_ns = 0;  ///< ready again then
  std::string reason;
  std::vector<range> ranges;
};
struct group_dead_record {
  failure why = failure::rejected;
  std::uint16_t failed = 0;
  std::string reason;
  std::vector<range> ranges;
};
struct group_handout_record {
  std::uint64_t through = 0;  ///< sequences below this may have been handed out
};
struct channel_def {
  std::string name, pattern;
};

append_item encode_record(stream_id stream, instant at, finish how, std::span<const range> ranges);
append_item encode_record(stream_id stream, instant at, const group_fail_record& r);
append_item encode_record(stream_id stream, instant at, const group_dead_record& r);
append_item encode_record(stream_id stream, instant at, const group_handout_record& r);
append_item encode_record(instant at, const stream_def& r);
append_item encode_record(instant at, const producer_def& r);
append_item encode_record(instant at, const channel_def& r);
append_item encode_producer_gone(instant at, std::uint32_t number);

std::optional<group_ack_record> decode_group_ack(bytes_view body);
std::optional<group_fail_record> decode_group_fail(bytes_view body);
std::optional<group_dead_record> decode_group_dead(bytes_view body);
std::optional<group_handout_record> decode_group_handout(bytes_view body);
std::optional<stream_def> decode_stream_def(bytes_view body);
std::optional<producer_def> decode_producer_def(bytes_view body);
std::optional<channel_def> decode_channel_def(bytes_view body);

}  // namespace holdfast
