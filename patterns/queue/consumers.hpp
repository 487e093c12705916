// consumers: who shares a queue, what each may still take, and whose turn it is: the least loaded
// by outstanding work; among equals, who waited longest.
//
// Contract: a consumer has at most one run open. Ids are never reused. One thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "patterns/pattern.hpp"
#include "patterns/queue/backlog.hpp"
#include "patterns/queue/leases.hpp"

namespace holdfast {

enum class consumer_kind : std::uint8_t { reliable, separate, shared, ack_back, worker };

struct consumer {
  consumer_id id = 0;
  consumer_kind kind = consumer_kind::reliable;
  std::string name;
  std::uint32_t session = 0;  ///< reliable
  peer_id peer = 0;
  bool simple = false;
  std::uint64_t lease_ns = never_ns;
  std::uint64_t acked_ns = 0;  ///< the latest ack of something it held
  std::uint64_t in_doubt_max = 0, in_doubt_bytes_min = 0;
  // Credit, cumulative since it joined.
  std::uint64_t messages_total = 0, bytes_total = 0;
  bool whole_blocks = false;
  std::uint64_t messages_taken = 0, bytes_taken = 0;
  // Outstanding.
  std::uint64_t in_flight = 0, in_doubt = 0;
  // The open run: [open.first, open_end) is reserved until the cut.
  bool is_open = false;
  pick open;
  std::uint64_t open_end = 0;
  bool stalled = false;  ///< its last run came back untouched; waits for the next tick or credit
  std::uint64_t served = 0;

  std::uint64_t room() const noexcept {
    return messages_total > messages_taken ? messages_total - messages_taken : 0;
  }
  std::uint64_t byte_room() const noexcept {
    return bytes_total > bytes_taken ? bytes_total - bytes_taken : 0;
  }
};

class consumers {
 public:
  consumer& add(consumer made);
  void remove(consumer_id id);
  consumer* find(consumer_id id) noexcept;
  const std::unordered_map<consumer_id, consumer>& all() const noexcept { return all_; }

  /// To be called after anything that bears on whose turn it is.
  void changed(consumer& c);
  /// The one to serve next; null if nobody can take anything.
  consumer* next() noexcept;
  std::size_t able() const noexcept { return turn_.size(); }
  void wake_stalled();
  std::uint64_t stamp() noexcept { return ++served_; }

 private:
  using key = std::tuple<std::uint64_t, std::uint64_t, consumer_id>;  // load, served, id
  std::unordered_map<consumer_id, consumer> all_;
  std::unordered_map<consumer_id, key> placed_;
  std::set<key> turn_;
  consumer_id last_id_ = 0;
  std::uint64_t served_ = 0;
  bool any_stalled_ = false;
};

}  // namespace holdfast
