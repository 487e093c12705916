// records of pub/sub: bodies as docs/journal_format.md lays them out ("Control records").
//
// Contract: pure; as patterns/records.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "patterns/ready.hpp"

namespace holdfast {

/// A durable subscription. Repeated when what it wants changes.
struct subscription_def_record {
  std::uint32_t number = 0;  ///< in its channel, from 1, never reused
  std::uint64_t born = 1;    ///< the sequence it began at
  std::uint64_t since_ns = 0;
  std::string name;
  std::vector<std::string> prefixes;  ///< none: nothing; the empty one: everything
};
/// What a subscription is done with, counted from its birth. A repeat or an older one changes
/// nothing.
struct subscription_ack_record {
  std::uint32_t number = 0;
  std::uint64_t floor = 1;     ///< everything below is done
  std::uint64_t since_ns = 0;  ///< 0 once a message left that was taken late enough
  std::uint64_t acked = 0, settled = 0, passed = 0, dropped = 0;
};

append_item encode_record(stream_id stream, instant at, const subscription_def_record& r);
append_item encode_record(stream_id stream, instant at, const subscription_ack_record& r);
append_item encode_subscription_gone(stream_id stream, instant at, std::uint32_t number);
append_item encode_trim(stream_id stream, instant at, std::uint64_t to);

std::optional<subscription_def_record> decode_subscription_def(bytes_view body);
std::optional<subscription_ack_record> decode_subscription_ack(bytes_view body);
std::optional<std::uint32_t> decode_subscription_gone(bytes_view body);
std::optional<std::uint64_t> decode_trim(bytes_view body);

}  // namespace holdfast
