// scheduler: virtual time. Events run in order of their time; those of the same time in an order
// drawn from the seed, so that no part comes to rely on one.
//
// Contract: one thread. Times in ns since the start of the simulation; never goes back. An event
// whose owner is gone is the owner's to recognise (each keeps a generation).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace holdfast::sim {

class scheduler {
 public:
  using action = std::function<void()>;

  explicit scheduler(std::uint64_t seed) noexcept : salt_(seed) {}

  std::uint64_t now() const noexcept { return now_; }
  /// Both clocks of the product; real time starts in 2026 and may be shifted (clock jumps).
  instant at() const noexcept { return {now_, real_base_ns + now_ + real_shift_ns}; }
  std::uint64_t real_shift_ns = 0;

  /// Runs `what` at `when`, at once if that has passed.
  void at(std::uint64_t when, action what);
  void after(std::uint64_t delay, action what) { at(now_ + delay, std::move(what)); }
  /// Runs the earliest event; false if there is none.
  bool step();
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  static constexpr std::uint64_t real_base_ns = 1'767'225'600ull * second_ns;
  struct event {
    std::uint64_t when, salt, ordinal;
    action what;
  };
  static bool later(const event& a, const event& b) noexcept;

  random_source salt_;
  std::vector<event> heap_;
  std::uint64_t now_ = second_ns;  // 0 means "never" in places
  std::uint64_t ordinal_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace holdfast::sim
