// application: one program of a run, which sends or receives, with a life that can end and begin
// again.
//
// Contract: one thread. What it makes follows from its number, so the checkers know it.
#pragma once

#include <memory>
#include <string>

#include "sim/judge.hpp"
#include "sim/network.hpp"
#include "sim/scheduler.hpp"

namespace holdfast::sim {

/// What every application lives in; outlives it.
struct surroundings {
  scheduler& time;
  network& net;
  judge& judged;
  story& told;
};

/// How an application treats what it is given.
struct manners {
  std::uint64_t work_max_ns = 5 * ms_ns;
  std::uint64_t hang_max_ns = 2 * second_ns;
  std::uint32_t nack_percent = 0, release_percent = 0, reject_percent = 0, hang_percent = 0,
                touch_percent = 0;
};

class application {
 public:
  application(std::string name, surroundings in, std::uint64_t seed)
      : in_(in), random_(seed), name_(std::move(name)) {}
  application(const application&) = delete;
  application& operator=(const application&) = delete;
  virtual ~application() = default;

  const std::string& name() const noexcept { return name_; }
  virtual void start() = 0;
  /// Killed at once; starts again after a while.
  virtual void die() = 0;
  virtual void pause(std::uint64_t for_ns) = 0;
  /// A new run starts while this one is stopped, where that makes sense.
  virtual void be_replaced() {}
  /// Faults are over: from now on it does what is asked of it.
  virtual void behave() { behaving_ = true; }
  /// Everything it wanted to do is done.
  virtual bool done() const { return true; }

 protected:
  static constexpr std::uint64_t absent_max_ns = 400 * ms_ns;

  void tell(const char* what, const message_key& key = {}, std::uint64_t a = 0) {
    in_.told.tell(in_.time.now(), what, name_, key, a);
  }
  std::uint64_t now() const noexcept { return in_.time.now(); }
  /// Starts again unless another life began meanwhile.
  template <class F>
  void come_back(F&& begin) {
    in_.time.after(1 + random_.below(absent_max_ns),
                   [this, generation = ++generation_, start_again = std::forward<F>(begin)] {
                     if (generation == generation_) start_again();
                   });
  }

  surroundings in_;
  random_source random_;
  std::uint64_t generation_ = 0;
  bool behaving_ = false;

 private:
  std::string name_;
};

}  // namespace holdfast::sim
