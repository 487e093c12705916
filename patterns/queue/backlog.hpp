// backlog: where the messages of a queue are that nobody holds: fresh, ready again, delayed, done.
//
// Contract: every sequence below next_sequence() is in exactly one place: done (the cursor), ready
// again, delayed, held by a consumer (queue/leases), or none of these, which means fresh. Fresh
// ones cost nothing. Below `next_out` nothing is fresh. One thread; no records, no accounting.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "base/clock.hpp"
#include "patterns/cursor.hpp"
#include "patterns/queue/leases.hpp"
#include "patterns/range_map.hpp"

namespace holdfast {

/// A message that was handed out before, or failed, and is ready again.
struct again {
  std::uint16_t failed = 0;
  std::uint8_t redelivered = 0;  ///< as in `deliver`
  friend bool operator==(const again&, const again&) = default;
};
/// A message that failed and waits for its time.
struct later {
  std::uint16_t failed = 0;
  std::uint64_t due_ns = 0;    ///< monotonic; realtime until start()
  std::uint64_t asked_ns = 0;  ///< until start(): the realtime that due_ns was reckoned from
  friend bool operator==(const later&, const later&) = default;
};

/// A run that may be handed out: uniform in what a delivery says of it.
struct pick {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool fresh = false;
  again state;
  bool empty() const noexcept { return first == end; }
};

class backlog {
 public:
  /// `held`: what consumers hold. After a restart, failed messages above next_out go first, so that
  /// something may be held there.
  explicit backlog(const range_map<hold>& held) : held_(held) {}

  cursor done;
  range_map<again> ready_again;
  range_map<later> delayed;

  std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  std::uint64_t next_out() const noexcept { return next_out_; }
  void extend(std::uint64_t count) noexcept { next_sequence_ += count; }
  void restore(std::uint64_t next_sequence) noexcept { next_sequence_ = next_sequence; }

  /// Sequences below this are durable and may be seen.
  void set_visible(std::uint64_t end) noexcept { visible_ = std::max(visible_, end); }
  /// Sequences below this may be handed out: a durable record says so.
  void set_handout(std::uint64_t end) noexcept { handout_ = std::max(handout_, end); }
  /// After a restart: everything is fresh again; what is there and below the durable mark `handout`
  /// may have been handed out.
  void start(std::uint64_t handout, instant at);
  std::uint64_t maybe_below() const noexcept { return maybe_below_; }

  /// The lowest run that is ready again, else (if `fresh_too`) the lowest fresh one.
  pick next(bool fresh_too);
  /// Takes [p.first, end) of what next() offered.
  void take(const pick& p, std::uint64_t end);
  /// Gives back the tail [first, end) of a fresh run, if nothing fresh was taken after it.
  bool untake(std::uint64_t first, std::uint64_t end) noexcept;
  /// Messages next() could offer in all; fresh ones that are already done count as well.
  std::uint64_t offer() const noexcept;

  void delay(std::uint64_t first, std::uint64_t end, later value);
  /// Moves what is due to ready_again; returns how many.
  std::uint64_t wake(std::uint64_t now_ns);
  std::uint64_t next_due() const noexcept { return due_.empty() ? never : due_.top().at; }
  /// Calls `f(first, end)` for each fresh, not done run in [first, end).
  template <class F>
  void for_each_fresh(std::uint64_t first, std::uint64_t end, F&& f) {
    first = std::max(first, next_out_);
    while (first < end) {
      const pick p = fresh_from(first, end);
      if (p.empty()) return;
      f(p.first, p.end);
      first = p.end;
    }
  }

 private:
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  struct due {
    std::uint64_t at, first, end;
    bool operator>(const due& other) const noexcept { return at > other.at; }
  };
  pick fresh_from(std::uint64_t first, std::uint64_t limit) const;

  const range_map<hold>& held_;
  std::uint64_t next_sequence_ = 1, next_out_ = 1;
  std::uint64_t visible_ = 1, handout_ = 1, maybe_below_ = 1;
  std::priority_queue<due, std::vector<due>, std::greater<>> due_;
};

}  // namespace holdfast
