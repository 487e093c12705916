#include "bench/line/roles.hpp"

namespace holdfast::bench {
namespace {

constexpr double warm_up_share = 0.2, greet_every = 0.002, open_within = 60;
constexpr std::uint64_t look_bytes = 64 << 10, look_messages = 64;

class production {
 public:
  production(const work& asked, stage& on, sender& to)
      : asked_(asked),
        on_(on),
        to_(to),
        flows_(on.flows.data(), asked.consumers),
        bodies_(asked.bytes, asked.run) {}

  void greet() {
    const double give_up_at = now_seconds() + open_within;
    while (!everybody_is_there()) {
      if (now_seconds() > give_up_at) give_up("nothing came through within a minute");
      to_.send(bodies_.of(greeting));
      to_.finish();
      sleep_until(now_seconds() + greet_every);
    }
  }

  void warm_up() {
    send(asked_.seconds * warm_up_share, asked_.messages_max / 5 + 1);
    to_.finish();
    while (slowest(flows_) < next_) yield_shortly();
    on_.warm_up.store(next_);
    on_.warm.store(true);
    while (!on_.started.load()) yield_shortly();
  }

  void run() {
    on_.began.store(now_seconds());
    send(asked_.seconds, asked_.messages_max);
    to_.finish();
    on_.accepted.store(now_seconds());
    on_.total.store(next_);
  }

 private:
  bool everybody_is_there() const {
    for (const flow& one : flows_)
      if (!one.open.load()) return false;
    return true;
  }

  void send(double seconds, std::uint64_t messages) {
    const double from = now_seconds(), until = from + seconds;
    const std::uint64_t first = next_, last = first + messages;
    const std::uint64_t look_every = messages_in(look_bytes, asked_.bytes, 1, look_messages);
    for (; next_ < last; ++next_) {
      if (asked_.per_second > 0)
        sleep_until(from + static_cast<double>(next_ - first) / asked_.per_second);
      if ((next_ - first) % look_every == 0 || asked_.per_second > 0 || asked_.lock_step) {
        if (now_seconds() > until) return;
        wait_for_room();
      }
      send_one();
    }
  }

  // The look at what was received is some messages old: the room is so much less exact.
  void wait_for_room() const {
    while (next_ > slowest(flows_) + ahead_of(asked_.bytes)) yield_shortly();
  }

  void send_one() {
    if (!asked_.lock_step) return to_.send(bodies_.of(next_));
    const double begin = now_seconds();
    to_.send(bodies_.of(next_));
    to_.finish();
    if (on_.started.load(std::memory_order_relaxed)) on_.timed.note(now_seconds() - begin);
  }

  const work& asked_;
  stage& on_;
  sender& to_;
  const std::span<const flow> flows_;
  bodies bodies_;
  std::uint64_t next_ = 0;
};

}  // namespace

void produce(const work& asked, stage& on, sender& to) {
  production line(asked, on, to);
  line.greet();
  line.warm_up();
  line.run();
}

void consume(const work& asked, stage& on, flow& own, receiver& from) {
  intake into(asked, on, own);
  while (!into.complete()) {
    from.receive(into);
    into.tell();
  }
  from.finish();
  own.last.store(now_seconds());
  own.done.store(true);
}

}  // namespace holdfast::bench
