// What a backlog does to a line, and how fast it is replayed. One queue: first messages are sent
// that nobody is there to take; then the line flows, with those before each new one; then what
// waits is taken as fast as it goes; then the line flows with nothing in it. Every message is
// checked.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>

#include "bench/parts/comparison.hpp"
#include "bench/report/report.hpp"

namespace holdfast::bench {
namespace {

constexpr double look_every = 0.002, stands_still = 60;
constexpr std::uint64_t look_messages = 64;

/// What the producer and the consumer are told, and what they tell.
struct valves {
  stage on;
  std::atomic<std::uint64_t> sent{0}, ahead_max{0};  ///< the producer keeps so many ahead, at most
};

void keep_ahead(const work& asked, valves& by, sender& to) {
  bodies all(asked.bytes);
  for (std::uint64_t next = 0;;) {
    const flow& way = by.on.flows[0];
    while (next >= way.received.load() + by.ahead_max.load()) yield_shortly();
    for (std::uint64_t i = 0; i < look_messages; ++i) to.send(all.of(next++));
    by.sent.store(next);
  }
}

void take_all(const work& asked, valves& by, receiver& from) {
  by.on.flows[0].open.store(true);  // nobody greets here
  intake into(asked, by.on, by.on.flows[0]);
  for (;;) {
    from.receive(into);
    into.tell();
  }
}

class backlog {
 public:
  backlog(setup& of, const work& asked)
      : of_(of),
        asked_(asked),
        by_(make_shared_memory<valves>()),
        producer_([this] { guarded([this] { keep_ahead(asked_, *by_, *of_.make_sender()); }); }) {}

  /// The line as it flows for a while, with so many messages waiting in it.
  sample flowing(std::uint64_t waiting) {
    by_->ahead_max.store(waiting + ahead_of(asked_.bytes));
    const std::uint64_t begin = received();
    watch([&] { return received() > begin; });
    return counted([end = now_seconds() + asked_.seconds] { return now_seconds() > end; });
  }
  /// Then somebody comes who takes them.
  void fill(std::uint64_t messages) {
    by_->ahead_max.store(messages);
    watch([&] { return by_->sent.load() >= messages; });
    consumer_.emplace(
        [this] { guarded([this] { take_all(asked_, *by_, *of_.make_receiver()); }); });
  }
  /// Everything that waits, and nothing new.
  sample replayed() {
    by_->ahead_max.store(0);
    return counted([this] { return received() >= by_->sent.load(); });
  }

 private:
  template <class role>
  void guarded(const role& play) {
    try {
      play();
    } catch (const std::exception& failure) {
      by_->on.fail(failure.what());
    }
  }
  std::uint64_t received() const { return by_->on.flows[0].received.load(); }

  template <class condition>
  void watch(const condition& holds) {
    double moved_at = now_seconds();
    for (std::uint64_t seen = 0; !holds(); sleep_until(now_seconds() + look_every)) {
      if (by_->on.failed.load()) give_up(by_->on.reason.data());
      if (!of_.broker->alive()) give_up("the broker has died");
      const std::uint64_t now = received() + by_->sent.load();
      if (now != seen) moved_at = now_seconds();
      seen = now;
      if (now_seconds() > moved_at + stands_still) give_up("the line stands still");
    }
  }

  template <class condition>
  sample counted(const condition& holds) {
    of_.broker->reset_peak();
    const double begin = now_seconds();
    const std::uint64_t first = received();
    const double cpu[] = {producer_.cpu_seconds(), of_.broker->cpu_seconds(),
                          consumer_->cpu_seconds()};
    watch(holds);
    sample made;
    made.messages = received() - first;
    const auto n = static_cast<double>(std::max<std::uint64_t>(made.messages, 1));
    made.per_second = n / (now_seconds() - begin);
    made.producer_us = (producer_.cpu_seconds() - cpu[0]) / n * 1e6;
    made.broker_us = (of_.broker->cpu_seconds() - cpu[1]) / n * 1e6;
    made.consumer_us = (consumer_->cpu_seconds() - cpu[2]) / n * 1e6;
    made.broker_peak_bytes = of_.broker->peak_bytes();
    return made;
  }

  setup& of_;
  const work asked_;
  const shared_memory<valves> by_;
  child producer_;
  std::optional<child> consumer_;
};

struct phases {
  sample empty, full, replay;
};

phases play_round(const contestant& one, const work& asked, std::uint64_t messages) try {
  setup of = one.open(asked);
  backlog line(of, asked);
  phases seen;
  line.fill(messages);
  seen.full = line.flowing(messages);
  seen.replay = line.replayed();
  seen.empty = line.flowing(0);
  return seen;
} catch (const std::exception& failure) {
  sample none;
  none.failure = failure.what();
  return {none, none, none};
}

}  // namespace

rows measure_backlog(const plan& chosen) {
  const std::uint64_t messages = std::min(chosen.backlog, chosen.messages_max);
  const contestant one = reliable_to_reliable(chosen.device, "process");
  work asked;
  asked.seconds = chosen.seconds;
  std::vector<phases> all;
  for (unsigned i = 0; i < chosen.rounds; ++i) all.push_back(play_round(one, asked, messages));
  const struct {
    std::string path;
    sample phases::*which;
  } told[] = {{"holdfast, nothing waits", &phases::empty},
              {"holdfast, " + std::to_string(messages) + " wait", &phases::full},
              {"holdfast, replay of these", &phases::replay}};
  rows made;
  for (const auto& [path, which] : told) {
    row next;
    next.part = "backlog";
    next.path = path;
    next.base = told[0].path;
    next.durability = one.durability;
    next.settings = one.settings;
    next.bytes = asked.bytes;
    std::vector<paired_sample> pairs;
    pairs.reserve(all.size());
    for (const phases& round : all) pairs.push_back({round.*which, round.empty});
    judge(next, pairs);
    if (made.empty()) std::printf("%s\n", table_head(next).c_str());
    std::printf("%s\n", table_line(next).c_str());
    made.push_back(std::move(next));
  }
  return made;
}

}  // namespace holdfast::bench
