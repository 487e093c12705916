// leases: which consumer holds which messages, until when.
//
// Contract: costs are per run held. A deadline that was overtaken (acked, touched) stays in the
// heap until it is at the top or the heap is twice what is held, then goes. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "patterns/range_map.hpp"

namespace holdfast {

using consumer_id = std::uint32_t;  // never reused within a queue; 0 = nobody

struct hold {
  consumer_id owner = 0;
  std::uint16_t failed = 0;
  std::uint8_t redelivered = 0;       ///< as it was delivered
  bool delivered = false;             ///< to the owner; else reserved for a run that is not cut yet
  bool in_doubt = false;              ///< handed to a plain receiver that never says more
  std::uint64_t until_ns = never_ns;  ///< the lease ends
  std::uint64_t cap_ns = never_ns;    ///< touch goes no further
  friend bool operator==(const hold&, const hold&) = default;
};

class leases {
 public:
  const range_map<hold>& held() const noexcept { return held_; }

  void grant(std::uint64_t first, std::uint64_t end, const hold& h);
  template <class Wanted, class Taken>
  void carve(std::uint64_t first, std::uint64_t end, Wanted&& wanted, Taken&& taken) {
    held_.carve(first, end, wanted, taken);
  }
  /// Everything in [first, end) that `owner` holds becomes what `change` makes of it.
  template <class Change>
  std::uint64_t change(std::uint64_t first, std::uint64_t end, consumer_id owner, Change&& change) {
    std::uint64_t changed = 0;
    pieces_.clear();
    held_.carve(
        first, end, [&](const hold& h) { return h.owner == owner; },
        [&](std::uint64_t from, std::uint64_t to, const hold& h) {
          pieces_.push_back({from, to, h});
        });
    for (piece& p : pieces_) {
      change(p.value, p.end - p.first);
      grant(p.first, p.end, p.value);
      changed += p.end - p.first;
    }
    return changed;
  }
  /// Takes out what has ended: `ended(first, end, hold)` for each run.
  template <class Ended>
  void expire(std::uint64_t now_ns, Ended&& ended) {
    while (!deadlines_.empty() && deadlines_.front().at <= now_ns) {
      const deadline top = pop();
      held_.carve(
          top.first, top.end, [&](const hold& h) { return h.until_ns <= now_ns; }, ended);
    }
  }
  /// When the next lease ends; drops deadlines that no longer mean anything.
  std::uint64_t next_deadline();
  std::size_t deadlines() const noexcept { return deadlines_.size(); }

 private:
  struct deadline {
    std::uint64_t at, first, end;
  };
  struct piece {
    std::uint64_t first, end;
    hold value;
  };
  static bool later(const deadline& a, const deadline& b) noexcept { return a.at > b.at; }
  deadline pop();
  bool means_something(const deadline& d) const;
  void compact();

  range_map<hold> held_;
  std::vector<deadline> deadlines_;  // heap, earliest first
  std::vector<piece> pieces_;        // reused
};

}  // namespace holdfast
