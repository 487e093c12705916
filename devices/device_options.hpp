// What a device is made of: filled from a configuration file or a command line, taken by
// devices/loop/device_loop.hpp.
//
// Contract: plain values; nothing is opened here. Endpoints keep the notation people write
// (`@bind`, `>connect`, without a sign a device binds); device::open() parses them and names the
// bad one. Units are in the names.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "patterns/pipeline/pipeline_options.hpp"
#include "patterns/plain_tracking.hpp"
#include "patterns/pubsub/pubsub_options.hpp"
#include "patterns/reqrep/reqrep_options.hpp"

namespace holdfast {

/// A socket facing unmodified senders: PULL (PUSH peers), SUB (publishers), ROUTER (REQ and DEALER
/// clients).
struct plain_input {
  std::string endpoint;
  std::string address;                        ///< queue or service; empty = the channel's default
  std::uint32_t receive_hwm_messages = 1000;  ///< what may sit unread here; never 0
  bool subscribes = false;  ///< pipeline: a SUB of everything (publishers) in place of the PULL
};

/// A socket (one per peer in `separate`) facing unmodified receivers: PUSH (PULL peers), XPUB
/// (subscribers), DEALER (REP workers).
struct plain_output {
  std::string endpoint;
  std::string address;  ///< queue or service; empty = the channel's default
  plain_tracking peers = plain_tracking::separate;
  std::uint32_t send_hwm_messages = 1000;
  std::uint32_t in_doubt_messages = 4096;  ///< separate: hand-off n settles n - this
  /// separate: the last so many bytes stay in doubt whatever the number of messages. Covers what a
  /// stopped peer's kernel may hold unread (Linux: at most half of tcp_rmem's 6 MiB, and the
  /// gate).
  std::uint64_t in_doubt_bytes_min = 4ull << 20;
  std::uint64_t in_doubt_bytes = 64ull << 20;     ///< separate: at most so many bytes in doubt
  std::uint64_t settle_idle_ns = 30 * second_ns;  ///< separate: settled after so long idle
  std::string durable;  ///< pubsub, separate: the subscription's name; it outlives its one peer
  std::string transcode_from, transcode_to;  ///< serializers, or empty: messages leave as they came
};

/// The options of a channel's pattern say which pattern it is (devices/loop/channel_kind.hpp).
using pattern_options = std::variant<pipeline_options, pubsub_options, reqrep_options>;

struct channel_options {
  pattern_options pattern;
  std::vector<plain_input> in;
  std::vector<plain_output> out;
  std::vector<std::string> reliable;  ///< ROUTER endpoints for HFP/1 peers
  std::vector<plain_input> workers;   ///< reqrep: ROUTER endpoints for READY-style workers
  std::vector<plain_input> mdp;       ///< reqrep: ROUTER endpoints for Majordomo peers
  std::string ack_back;  ///< PULL endpoint that takes delivery ids back; needs an output with
                         ///< plain_tracking::ack_back

  /// What channels of every pattern have.
  channel_settings& settings() noexcept {
    return std::visit([](auto& o) -> channel_settings& { return o; }, pattern);
  }
  const channel_settings& settings() const noexcept {
    return std::visit([](const auto& o) -> const channel_settings& { return o; }, pattern);
  }
};

struct device_options {
  std::string name = "holdfast";
  std::string data;                                ///< directory of the journal; made if missing
  std::uint64_t disk_limit_bytes = 0;              ///< 0 = what the file system has
  std::uint64_t segment_bytes = 64ull << 20;       ///< 16 KiB to 1 GiB
  std::uint64_t memory_bytes = 64ull << 20;        ///< blocks held until durable
  std::uint64_t session_send_bytes = 64ull << 20;  ///< unheard-of reliable peer: evicted beyond it
  std::uint32_t checkpoint_slice_bytes = 64 * 1024;  ///< snapshot rows written per turn
  std::uint64_t drain_ns = 5 * second_ns;            ///< longest graceful stop
  bool zero_copy = true;  ///< send backlog from the maps (docs/guarantees.md)
  bool admin = true;      ///< answer on ipc://DATA/admin
  std::vector<channel_options> channels;
};

}  // namespace holdfast
