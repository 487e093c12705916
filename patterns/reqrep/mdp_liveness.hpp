// mdp_liveness: when a Majordomo worker is due a heartbeat, and when it is dead.
//
// Contract: pure; times are monotonic ns. Any command counts as a heartbeat, both ways. An idle
// worker is dead after `liveness` intervals of silence: the configured interval, or its own if that
// is longer (seen between its frames; at most `slowest` times the configured one). A busy worker is
// never dead by silence: the usual worker has one thread, which is at work.
#pragma once

#include <algorithm>
#include <cstdint>

namespace holdfast {

class mdp_liveness {
 public:
  static constexpr std::uint64_t slowest = 8;

  mdp_liveness(std::uint64_t interval_ns, std::uint32_t liveness, std::uint64_t now_ns) noexcept
      : interval_ns_(interval_ns), liveness_(liveness), heard_ns_(now_ns), sent_ns_(now_ns) {}

  /// It sent a command; `idle`: it was idle all the time since the one before.
  void heard(std::uint64_t now_ns, bool idle) noexcept {
    if (idle) {
      const std::uint64_t gap = std::min(now_ns - heard_ns_, interval_ns_ * slowest);
      own_ns_ = std::max(gap, own_ns_ - own_ns_ / 8);  // a faster rate is believed slowly
    }
    heard_ns_ = now_ns;
  }
  void sent(std::uint64_t now_ns) noexcept { sent_ns_ = now_ns; }

  std::uint64_t beat_ns() const noexcept { return sent_ns_ + interval_ns_; }
  std::uint64_t dead_ns() const noexcept {
    return heard_ns_ + liveness_ * std::max(interval_ns_, own_ns_);
  }

 private:
  std::uint64_t interval_ns_;
  std::uint64_t liveness_;
  std::uint64_t heard_ns_, sent_ns_;
  std::uint64_t own_ns_ = 0;  // its own interval, as seen
};

}  // namespace holdfast
