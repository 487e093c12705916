// story: what happened in a run, to tell it afterwards, and a hash of all of it, to compare a run
// with its replay bit for bit.
//
// Contract: one thread. Memory is bounded: the oldest events are forgotten beyond `events_max`.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "sim/message.hpp"

namespace holdfast::sim {

class story {
 public:
  static constexpr std::size_t events_max = 400'000;

  /// `what` is a literal. `who` names a party ("worker 2"); `key` and the numbers are optional.
  void tell(std::uint64_t now_ns, const char* what, std::string_view who,
            const message_key& key = {}, std::uint64_t a = 0, std::uint64_t b = 0);
  /// Folds bytes that crossed a border into the hash.
  void fold(std::uint64_t value) noexcept { hash_ = mix(hash_ ^ value); }
  void fold(const std::byte* data, std::size_t size) noexcept;
  std::uint64_t hash() const noexcept { return hash_; }

  /// The events of one message, with those of the whole world around them, as lines.
  std::string about(const message_key& key) const;
  /// The last `count` events.
  std::string tail(std::size_t count) const;

 private:
  struct event {
    std::uint64_t now_ns;
    const char* what;
    std::string who;
    message_key key;
    std::uint64_t a, b;
  };
  static std::uint64_t mix(std::uint64_t v) noexcept {
    v = (v ^ (v >> 32)) * 0x9e3779b97f4a7c15ULL;
    return v ^ (v >> 29);
  }
  static std::string line(const event& e);

  std::deque<event> events_;
  std::uint64_t hash_ = 1;
};

}  // namespace holdfast::sim
