#include "bench/line/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "bench/line/roles.hpp"

namespace holdfast::bench {
namespace {

constexpr double stands_still = 30;  // seconds without a message until it is given up
constexpr double look_every = 0.001;

struct cpu_times {
  double producer = 0, broker = 0, consumers = 0;
};

class measurement {
 public:
  measurement(setup& of, const work& asked)
      : of_(of), asked_(asked), on_(make_shared_memory<stage>()) {}

  sample take() {
    start_processes();
    wait_until([&] { return on_->warm.load(); });
    if (of_.broker) of_.broker->reset_peak();
    const cpu_times before = look();
    on_->started.store(true);
    wait_until([&] { return on_->total.load() != ~0ull && everybody_done(); });
    return judged(before, look());
  }

 private:
  void start_processes() {
    for (unsigned i = 0; i < asked_.consumers; ++i)
      children_.push_back(start([this, i] {
        const auto end = of_.make_receiver();
        consume(asked_, *on_, on_->flows[i], *end);
        stay();
      }));
    children_.push_back(start([this] {
      const auto end = of_.make_sender();
      produce(asked_, *on_, *end);
      stay();
    }));
  }

  // Whoever is done keeps its end open, as the last messages may still be under way, and lives on,
  // so that the parent can look at it.
  [[noreturn]] static void stay() {
    for (;;) pause();
  }

  child start(const std::function<void()>& role) {
    return child([this, role] {
      try {
        role();
      } catch (const std::exception& failure) {
        on_->fail(failure.what());
      }
    });
  }

  template <class condition>
  void wait_until(const condition& holds) {
    std::uint64_t seen = 0;
    for (double moved_at = now_seconds(); !holds();) {
      sleep_until(now_seconds() + look_every);
      if (on_->failed.load()) give_up(on_->reason.data());
      if (std::any_of(children_.begin(), children_.end(), [](child& one) { return !one.alive(); }))
        give_up(on_->failed.load() ? on_->reason.data() : "an end of the line has died");
      if (of_.broker && !of_.broker->alive()) give_up("the broker has died");
      const std::uint64_t now = slowest({on_->flows.data(), asked_.consumers});
      if (now != seen) moved_at = now_seconds();
      seen = now;
      if (now_seconds() > moved_at + stands_still)
        give_up("the line stands still after " + std::to_string(seen) + " messages");
    }
  }

  bool everybody_done() const {
    for (unsigned i = 0; i < asked_.consumers; ++i)
      if (!on_->flows[i].done.load()) return false;
    return true;
  }

  cpu_times look() const {
    cpu_times seen;
    seen.producer = children_.back().cpu_seconds();
    for (unsigned i = 0; i < asked_.consumers; ++i) seen.consumers += children_[i].cpu_seconds();
    if (of_.broker) seen.broker = of_.broker->cpu_seconds();
    return seen;
  }

  sample judged(const cpu_times& before, const cpu_times& after) const {
    double end = on_->accepted.load();
    for (unsigned i = 0; i < asked_.consumers; ++i) end = std::max(end, on_->flows[i].last.load());
    sample made;
    made.messages = on_->total.load() - on_->warm_up.load();
    if (made.messages == 0) give_up("not one message in the time given");
    const auto n = static_cast<double>(made.messages);
    made.per_second = n / (end - on_->began.load());
    made.producer_us = (after.producer - before.producer) / n * 1e6;
    made.broker_us = (after.broker - before.broker) / n * 1e6;
    made.consumer_us = (after.consumers - before.consumers) / n / asked_.consumers * 1e6;
    if (of_.broker) made.broker_peak_bytes = of_.broker->peak_bytes();
    made.p50_us = on_->timed.us_at(0.5);
    made.p99_us = on_->timed.us_at(0.99);
    made.p999_us = on_->timed.us_at(0.999);
    return made;
  }

  setup& of_;
  const work asked_;
  const shared_memory<stage> on_;
  std::vector<child> children_;  // the consumers, then the producer
};

}  // namespace

sample run_line(const opener& open, const work& asked) try {
  setup made = open(asked);
  return measurement(made, asked).take();
} catch (const std::exception& failure) {
  sample none;
  none.failure = failure.what();
  return none;
}

}  // namespace holdfast::bench
