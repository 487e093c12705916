// facts: what applications saw, message by message, and when the power went: what every checker may
// look at.
//
// Contract: shares no code with the product. Times in virtual ns; "left" is when the device let go
// of what says so, which may be before a crash. A fact is taken in after the checkers saw it.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/message.hpp"

namespace holdfast::sim {

/// What an accept or a confirmed ack promised, in the words of the documentation.
enum class promise : std::uint8_t { none = 0, process = 1, interval = 2, disk = 3 };

enum class channel_kind : std::uint8_t { pipeline, pubsub, reqrep };
inline constexpr std::size_t channel_kinds = 3;

/// A message's place: stream epoch and sequence in a line (a queue, a service, a pub/sub channel);
/// sequence 0 = unknown (plain receivers).
struct place {
  std::uint32_t line = 0;
  std::uint64_t epoch = 0, sequence = 0;
  friend auto operator<=>(const place&, const place&) = default;
};

struct delivery {
  message_key key;  ///< none: bytes nobody made
  std::string_view who;
  channel_kind channel = channel_kind::pipeline;
  place where;
  std::uint64_t left_ns = 0, left_real_ns = 0, now_ns = 0;
  std::uint64_t session = 0;       ///< of the receiver, 0 for plain ones
  std::uint64_t killed_ns = 0;     ///< when the receiver's former life ended without a word
  std::uint32_t subscription = 0;  ///< pub/sub
  bool again = false;              ///< said to be, or perhaps to be, a redelivery
  bool exact = false;              ///< bytes and parts are as they were made
};

struct answer {
  message_key request;
  std::uint16_t status = 0;
  bool exact = false;  ///< the reply's bytes are the one reply of this request
  bool here = false;   ///< nobody answered: the requester's own deadline passed
  std::uint64_t now_ns = 0;
  std::uint64_t real_max_ns = 0;  ///< the latest the calendar ever showed
};

/// What the rules are in this run.
struct terms {
  std::uint32_t largest_message = 1024;
  std::array<promise, channel_kinds> level{promise::disk, promise::disk, promise::disk};
  std::uint64_t interval_ns = 0;  ///< level interval: stated time and what a slow disk may add
  bool one_consumer = false;  ///< of a queue: then first deliveries come in the order of sequences
  bool retention = false;     ///< pub/sub forgets what is old
  bool attempts = false;      ///< requests are given up after some failures
  std::uint64_t deadline_ns = 0;  ///< of requests, real time; 0 = none that could pass
  bool below_disk(channel_kind c) const {
    return level[static_cast<std::size_t>(c)] != promise::disk;
  }
};

struct fate {
  channel_kind channel = channel_kind::pipeline;
  std::uint64_t sent_ns = 0, accepted_ns = 0, finished_ns = 0, confirmed_ns = 0;
  promise accepted_at = promise::none, confirmed_at = promise::none;
  bool excused = false;  ///< its level, or bit rot in its record, allows to lose it
  bool rotten = false;
  std::uint64_t deliveries = 0;
  /// Requests, real time: the earliest and the latest it was ever asked with; 0 = none.
  std::uint64_t deadline_min_ns = 0, deadline_max_ns = 0;
  place where;
  std::uint64_t placed_ns = 0;  ///< when it last left from `where`
};

class facts {
 public:
  explicit facts(terms rules) : rules_(rules) {}

  const terms& rules() const noexcept { return rules_; }
  const fate* find(const message_key& key) const;
  const std::map<message_key, fate>& all() const noexcept { return messages_; }
  /// What was promised `at` a level at `since` may be gone by now.
  bool gone_since(promise at, std::uint64_t since) const;
  /// A request may have been accepted and lost, which its requester is not told.
  bool maybe_lost(const message_key& request) const;
  bool rotted() const noexcept { return rotted_; }
  /// How long of that the device did nothing.
  std::uint64_t stopped_between(std::uint64_t from, std::uint64_t to) const;
  /// Nothing is promised of the order of this one's messages: plain, over several connections.
  bool unordered(std::uint32_t producer) const;

  // What the judge takes in.
  fate& at(const message_key& key) { return messages_[key]; }
  void power_lost(std::uint64_t now);
  /// A device that does nothing keeps no interval either.
  void device_stopped(std::uint64_t from, std::uint64_t until) { stops_.push_back({from, until}); }
  void rot(const std::vector<message_key>& keys);
  void set_unordered(std::uint32_t producer) { unordered_.push_back(producer); }

 private:
  struct stop {
    std::uint64_t from = 0, until = 0;
  };
  bool gone(promise at, std::uint64_t since, std::uint64_t lost_at) const;

  terms rules_;
  std::map<message_key, fate> messages_;
  std::vector<std::uint64_t> power_losses_;
  std::vector<stop> stops_;  // by their begin
  std::vector<std::uint32_t> unordered_;
  bool rotted_ = false;
};

}  // namespace holdfast::sim
