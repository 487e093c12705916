// What a channel tells of itself: the accounting identity per stream and group, its consumers, its
// sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/record.hpp"

namespace holdfast {

/// Where every message of a stream is or how it ended, as one group sees it. `in` equals sum() at
/// all times: each figure is counted on its own, none is derived from the others.
struct identity {
  std::uint64_t in = 0;
  std::uint64_t acked = 0, settled = 0, in_doubt = 0, ready = 0, in_flight = 0, delayed = 0,
                prepared = 0;
  std::uint64_t expired = 0, dead = 0, redriven = 0, purged = 0, dropped = 0, lost_at_power = 0;
  std::uint64_t sum() const noexcept {
    return acked + settled + in_doubt + ready + in_flight + delayed + prepared + expired + dead +
           redriven + purged + dropped + lost_at_power;
  }
};

struct consumer_stats {
  std::string name;
  std::string kind;  ///< "reliable", "separate", "shared", "ack_back", "worker"
  std::uint64_t in_flight = 0;
  /// In doubt settles beyond in_doubt_max messages once in_doubt_bytes_min were handed after it.
  std::uint64_t in_doubt = 0, in_doubt_max = 0, in_doubt_bytes_min = 0;
  std::uint64_t delivered = 0;
};

/// A subscription of a pub/sub stream: its place, and where its messages are from its birth on.
struct group_stats {
  std::string name;
  std::string kind;  ///< "durable", "session", "separate", "all_wait", "lossy"
  bool attached = false;
  std::uint64_t born = 1, floor = 1, next = 1;  ///< sequences; below floor everything is done
  std::uint64_t lag = 0;                        ///< messages from floor on
  identity counts;
  std::uint64_t passed_over = 0;  ///< of counts.settled: its filter did not want them
  std::uint64_t redelivered = 0;
};

struct stream_stats {
  std::string address;
  stream_id stream = no_stream;
  std::uint64_t next_sequence = 1, ack_floor = 0;
  identity counts;
  std::uint64_t dropped_by_retention = 0;  ///< of counts.dropped
  std::uint64_t redelivered = 0, duplicates = 0, late_acks = 0;
  std::vector<consumer_stats> consumers;
  std::vector<group_stats> groups;  ///< pub/sub
};

struct channel_stats {
  std::string name, pattern;
  level durability = level::disk;
  std::uint32_t interval_ms = 0;
  std::uint64_t sessions = 0, producers = 0;
  std::uint64_t bad_frames = 0, stale_frames = 0, resyncs = 0, refusals = 0, resets = 0;
  std::uint64_t plain_refused = 0;  ///< pub/sub: peers beyond the first of a durable endpoint
  /// Request-reply, of plain and Majordomo clients: requests that ended without an answer (given
  /// up, expired), and requests that were not taken (queue full, too large).
  std::uint64_t unanswered = 0, rejected = 0;
  std::vector<stream_stats> streams;
};

}  // namespace holdfast
