// plain_subscriber: an unmodified SUB behind its own XPUB, or all of a shared one: what it asked
// for and how far it has got, which it never says itself.
//
// Contract: plain data and its small rules; one thread. Prefixes are cut to prefix_bytes_max, which
// only lets more through than was asked for: libzmq filters again.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "patterns/queue/hand_off.hpp"

namespace holdfast {

struct plain_subscriber {
  static constexpr std::size_t prefix_bytes_max = 255;
  /// A peer that comes again is given so long to repeat its subscriptions; one that drops some,
  /// which libzmq also says when it goes, is believed after so long.
  static constexpr std::uint64_t settle_topics_ns = second_ns;

  explicit plain_subscriber(const plain_peer& about) : peer(about), progress(tracked(about)) {}

  /// One socket for all: hand-off is the ack.
  bool shared() const noexcept { return peer.tracking != plain_tracking::separate; }
  /// The prefixes in force; beyond `max` of them, everything.
  std::vector<std::string> prefixes(std::size_t max) const {
    if (topics.size() > max) return {std::string()};
    return {topics.begin(), topics.end()};
  }

  plain_peer peer;
  hand_off progress;
  std::set<std::string> topics;
  std::uint32_t subscription = 0;  ///< number; 0 = none yet
  bool refused = false;            ///< somebody else has the durable name; waits for it
  std::uint64_t room = 0;          ///< messages it may be delivered in all
  std::uint64_t topics_settle_ns = never_ns;

 private:
  static plain_peer tracked(plain_peer about) {
    if (about.tracking != plain_tracking::separate) about.tracking = plain_tracking::shared;
    return about;
  }
};

}  // namespace holdfast
