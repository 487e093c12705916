// scheduler: virtual time. Events run in order of their time; those of the same time in an order
// drawn from the seed, so that no part comes to rely on one.
//
// Contract: one thread. Times in ns since the start of the simulation; never goes back. The
// calendar (real time) may jump both ways. An event whose owner is gone is the owner's to recognise
// (each keeps a generation).
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace holdfast::sim {

class scheduler {
 public:
  using action = std::function<void()>;

  explicit scheduler(std::uint64_t seed) noexcept : salt_(seed) {}

  std::uint64_t now() const noexcept { return now_; }
  /// What the calendar showed at a virtual time that has passed.
  std::uint64_t real_at(std::uint64_t when) const noexcept;
  /// The latest it ever showed.
  std::uint64_t real_max() const noexcept;
  void shift_real(std::int64_t by) { shifts_.emplace_back(now_, shifts_.back().second + by); }

  /// Runs `what` at `when`, at once if that has passed.
  void at(std::uint64_t when, action what);
  void after(std::uint64_t delay, action what) { at(now_ + delay, std::move(what)); }
  /// Runs the earliest event; false if there is none.
  bool step();
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  static constexpr std::int64_t real_base_ns = 1'767'225'600'000'000'000;  // in 2026
  struct event {
    std::uint64_t when, salt, ordinal;
    action what;
  };
  static bool later(const event& a, const event& b) noexcept;

  random_source salt_;
  std::vector<event> heap_;
  std::vector<std::pair<std::uint64_t, std::int64_t>> shifts_{{0, real_base_ns}};
  std::uint64_t now_ = second_ns;  // 0 means "never" in places
  std::uint64_t ordinal_ = 0;
  std::uint64_t steps_ = 0;
};

/// The clocks of one process: its monotonic one runs too fast or too slow.
class process_clock {
 public:
  /// `drift_ppm`: microseconds gained in a second.
  process_clock(const scheduler& time, std::int32_t drift_ppm) noexcept
      : time_(time), rate_(1'000'000 + drift_ppm) {}

  instant at() const noexcept { return {local(time_.now()), time_.real_at(time_.now())}; }
  std::uint64_t local(std::uint64_t when) const noexcept {
    return when / 1'000'000 * rate_ + when % 1'000'000 * rate_ / 1'000'000;
  }
  /// The virtual time by which this clock shows `shown` or more.
  std::uint64_t when(std::uint64_t shown) const noexcept {
    if (shown > never_ns / 2'000'000) return never_ns;
    return shown * 1'000'000 / rate_ + 2;
  }

 private:
  const scheduler& time_;
  std::uint64_t rate_;
};

}  // namespace holdfast::sim
