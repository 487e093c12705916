// checker: judges a run from what applications saw and nothing else. It shares no code with the
// product.
//
// Verdicts: nothing accepted is lost (but for what the level allows at a power loss); nothing is
// delivered that was not sent, every byte as sent; a message is stored once, and the messages of
// one producer in their order; no sequence names two messages; nothing is handed out after its ack
// was confirmed; the accounting adds up; and once faults have stopped, all of it comes to an end.
//
// Contract: the first violation is kept, later ones are ignored. Times in virtual ns.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/story.hpp"

namespace holdfast::sim {

/// What an accept or a confirmed ack promised, in the words of the documentation.
enum class promise : std::uint8_t { none = 0, process = 1, interval = 2, disk = 3 };

/// A message's place: (stream epoch, sequence); sequence 0 = unknown (plain receivers).
struct place {
  std::uint64_t epoch = 0, sequence = 0;
  friend auto operator<=>(const place&, const place&) = default;
};

struct delivery {
  place where;
  std::uint64_t left_ns = 0;  ///< when the device let go of it
  std::uint64_t session = 0;  ///< of the consumer, 0 for plain ones
  bool again = false;         ///< said to be, or perhaps to be, a redelivery
};

struct checker_options {
  std::uint32_t largest_message = 1024;
  std::uint64_t interval_ns = 0;   ///< level interval: stated time and what a slow disk may add
  bool one_consumer = false;       ///< then first deliveries come in the order of sequences
  bool may_lose_at_power = false;  ///< the channel's level is below disk
};

class checker {
 public:
  checker(checker_options options, story& told) : options_(options), story_(told) {}

  // ---- producers -------------------------------------------------------------------------------
  void sent(const message_key& key, std::uint64_t now);
  /// `left_ns`: when the device let go of the accept, which may be before a crash.
  void accepted(const message_key& key, promise at, std::uint64_t left_ns, std::uint64_t now);
  /// The application was told that this message is given up.
  void given_up(const message_key& key, std::uint64_t now);
  /// Nothing is promised of the order of this one: plain, over several connections.
  void unordered(std::uint32_t producer) { unordered_.insert(producer); }
  // ---- consumers -------------------------------------------------------------------------------
  /// The key of the message, if it is one that may be delivered.
  message_key delivered(std::string_view consumer, const message_parts& message,
                        const delivery& how, std::uint64_t now);
  /// The consumer is done with it. `confirmed`: the device has said that it knows.
  void finished(const message_key& key, std::string_view consumer, std::uint64_t now);
  void confirmed(const message_key& key, promise at, std::string_view consumer,
                 std::uint64_t left_ns, std::uint64_t now);
  // ---- device ----------------------------------------------------------------------------------
  void power_lost(std::uint64_t now);
  void accounts(std::uint64_t in, std::uint64_t sum, std::uint64_t now);
  // ---- the end ---------------------------------------------------------------------------------
  /// True when everything that was accepted has been delivered and finished.
  bool settled() const { return open_count() == 0; }
  std::uint64_t open_count() const;
  /// Faults stopped long enough ago: what is not settled is stuck or lost.
  void end(std::uint64_t now);

  void fail(std::string why, const message_key& key, std::uint64_t now);
  bool failed() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  const message_key& about() const noexcept { return about_; }
  std::uint64_t accepted_count() const noexcept { return accepted_; }
  std::uint64_t sent_count() const noexcept { return messages_.size(); }
  std::uint64_t delivered_count() const noexcept { return delivered_; }
  std::uint64_t duplicate_count() const noexcept { return duplicates_; }

 private:
  struct fate {
    std::uint64_t sent_ns = 0, accepted_ns = 0, finished_ns = 0, confirmed_ns = 0;
    promise accepted_at = promise::none, confirmed_at = promise::none;
    bool excused = false;  // the level allowed to lose it
    std::uint64_t deliveries = 0;
    place where;
    std::uint64_t placed_ns = 0;  // when it last left from `where`
  };
  void check_place(const message_key& key, fate& f, const delivery& how, std::uint64_t now);
  void check_order(const message_key& key, const place& where, std::uint64_t now);
  bool gone(promise at, std::uint64_t since, std::uint64_t lost_at) const;
  bool gone_since(promise at, std::uint64_t since) const;
  static bool open(const fate& f);

  checker_options options_;
  story& story_;
  std::map<message_key, fate> messages_;
  std::map<place, message_key> places_;
  std::map<std::uint64_t, place> last_fresh_;  // by consumer session
  // (producer, stream epoch) -> what lies where
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::map<std::uint64_t, message_key>> order_;
  std::uint64_t accepted_ = 0, delivered_ = 0, duplicates_ = 0;
  std::vector<std::uint64_t> power_losses_;
  std::set<std::uint32_t> unordered_;
  std::string why_;
  message_key about_;
};

}  // namespace holdfast::sim
