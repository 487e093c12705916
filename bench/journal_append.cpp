// What an append costs the thread that makes it, and how much goes through in a second.
#include <algorithm>
#include <cmath>

#include "base/checksum.hpp"
#include "base/clock.hpp"
#include "bench/journal_measures.hpp"

namespace holdfast::bench {
namespace {

constexpr int turns_each = 4000;
/// Logged before anything is measured: what may wait for the disk, twice over, so that all tables
/// and pools have grown.
constexpr std::uint64_t warm_up_bytes = 128ull << 20;
constexpr std::uint64_t backlog_max = 4ull << 20;

journal_options usual() {
  journal_options options;
  options.checkpoint_ns = 60 * second_ns;  // by bytes alone
  return options;
}

/// Turns of a batch each. What was appended is consumed as it goes, so that its space comes back.
class flow {
 public:
  flow(bench_journal& on, message_batch& batch) : on_(on), batch_(batch) {}
  void turn() {
    auto& items = batch_.next(system_now().real_ns);
    batch_.sum();
    on_.append(items);
    on_.turn();
    on_.wait_room(batch_.log_bytes());
    if (++turns_ % kept_turns_ == 0) on_.log().trim(1, (turns_ - kept_turns_) * batch_messages);
  }
  void warm_up() {
    while (turns_ * batch_.log_bytes() < warm_up_bytes) turn();
  }
  std::uint64_t turns() const { return turns_; }

 private:
  bench_journal& on_;
  message_batch& batch_;
  const std::uint64_t kept_turns_ = (16ull << 20) / batch_.log_bytes();
  std::uint64_t turns_ = 0;
};

struct append_cost {
  double append_ns = 1e9, turn_ns = 1e9;  // per message
};

/// CPU of the loop's thread per message: sums and append, and with progress() the whole turn.
append_cost cost_of(const journal_bench_options& chosen, std::size_t bytes, bool packed) {
  append_cost best;
  const double reading = cpu_ns_cost();
  for (int i = 0; i < chosen.repeats; ++i) {
    const scratch_directory where(chosen.directory);
    bench_journal on(where.path(), usual());
    message_batch batch(bytes, level::disk, packed);
    flow(on, batch).warm_up();
    double appending = 0, taking_in = 0;
    for (int turn = 0; turn < turns_each; ++turn) {
      auto& items = batch.next(system_now().real_ns);
      const double begin = cpu_ns();
      batch.sum();
      on.append(items);
      const double appended = cpu_ns();
      on.log().progress();
      const double done = cpu_ns();
      // A disk that keeps up: else what is measured is the memory that waits for it.
      while (on.log().stats().unsynced_bytes > backlog_max) {
        on.sleep_until_news();
        on.turn();
      }
      appending += appended - begin - reading;
      taking_in += done - appended - reading;
    }
    constexpr double messages = turns_each * static_cast<double>(batch_messages);
    best.append_ns = std::min(best.append_ns, appending / messages);
    best.turn_ns = std::min(best.turn_ns, (appending + taking_in) / messages);
  }
  return best;
}

struct rate {
  double messages = 0, log_bytes = 0;  // a second
};

/// As much as goes at level process for a while, everything written at the end.
rate rate_of(const journal_bench_options& chosen, std::size_t bytes, bool packed) {
  rate best;
  for (int i = 0; i < chosen.repeats; ++i) {
    const scratch_directory where(chosen.directory);
    bench_journal on(where.path(), usual());
    message_batch batch(bytes, level::process, packed);
    flow through(on, batch);
    through.warm_up();
    const double begin = now_seconds();
    const std::uint64_t before = through.turns();
    while (now_seconds() - begin < chosen.seconds) through.turn();
    on.wait(level::process);
    const double seconds = now_seconds() - begin;
    const auto all = static_cast<double>(through.turns() - before);
    best.messages = std::max(best.messages, all * batch_messages / seconds);
    best.log_bytes =
        std::max(best.log_bytes, all * static_cast<double>(batch.log_bytes()) / seconds);
  }
  return best;
}

struct latency {
  double p50 = 1e9, p99 = 1e9, p999 = 1e9, p9999 = 1e9;  // us
};

double at_share(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

/// Wall time of single appends at 100 000 a second while the commit thread syncs all the time.
latency latency_while_syncing(const journal_bench_options& chosen) {
  latency best;
  constexpr double every_s = 10e-6;
  for (int i = 0; i < chosen.repeats; ++i) {
    const scratch_directory where(chosen.directory);
    bench_journal on(where.path(), usual());
    message_batch batch(256, level::disk, false);
    flow(on, batch).warm_up();
    std::vector<append_item> one(1);
    std::vector<double> took;
    const double begin = now_seconds();
    std::uint64_t sent = 0;
    while (now_seconds() - begin < chosen.seconds) {
      if (sent % batch_messages == 0) one.resize(1);
      auto& items = batch.next(system_now().real_ns);
      for (append_item& item : items) {
        one[0] = std::move(item);
        while (now_seconds() < begin + static_cast<double>(sent) * every_s) on.turn();
        ++sent;
        const double from = now_seconds();
        one[0].head.body_sum = checksum(one[0].body.bytes());
        on.append(one);
        took.push_back((now_seconds() - from) * 1e6);
      }
    }
    took.erase(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(took.size() / 4));
    std::sort(took.begin(), took.end());
    best.p50 = std::min(best.p50, at_share(took, 0.5));
    best.p99 = std::min(best.p99, at_share(took, 0.99));
    best.p999 = std::min(best.p999, at_share(took, 0.999));
    best.p9999 = std::min(best.p9999, at_share(took, 0.9999));
  }
  return best;
}

}  // namespace

void measure_append(const journal_bench_options& chosen, journal_report& into) {
  into.head("Append at level disk, batches of 64: CPU of the appending thread, body sum included");
  const struct {
    std::size_t bytes;
    double limit;
    const char* name;
  } sizes[] = {{64, 60, "64 B"}, {1024, 250, "1 KiB"}};
  for (const auto& size : sizes) {
    const append_cost each = cost_of(chosen, size.bytes, false);
    const append_cost packed = cost_of(chosen, size.bytes, true);
    const std::string name = size.name;
    into.add(name + ", a record each", each.append_ns, "ns/msg", sense::at_most, size.limit);
    into.add(name + ", a record each, with progress()", each.turn_ns, "ns/msg");
    into.add(name + ", 64 packed in a block", packed.append_ns, "ns/msg");
    into.add(name + ", 64 packed in a block, with progress()", packed.turn_ns, "ns/msg");
  }
}

void measure_append_latency(const journal_bench_options& chosen, journal_report& into) {
  into.head("Single appends of 256 B, 100 000 a second, while the commit thread syncs: wall time");
  const latency found = latency_while_syncing(chosen);
  into.add("p50", found.p50, "us");
  into.add("p99", found.p99, "us");
  into.add("p99.9", found.p999, "us", sense::at_most, 2);
  into.add("p99.99", found.p9999, "us");
}

void measure_throughput(const journal_bench_options& chosen, journal_report& into) {
  into.head("Throughput at level process, batches of 64, written at the end");
  constexpr double gib = 1ull << 30;
  const rate small = rate_of(chosen, 64, false), large = rate_of(chosen, 1024, false);
  const rate small_packed = rate_of(chosen, 64, true), large_packed = rate_of(chosen, 1024, true);
  into.add("64 B, a record each", small.messages / 1e6, "M rec/s", sense::at_least, 5);
  into.add("64 B, a record each", small.log_bytes / gib, "GiB/s");
  into.add("64 B, 64 packed in a block", small_packed.messages / 1e6, "M msg/s");
  into.add("1 KiB, a record each", large.log_bytes / gib, "GiB/s", sense::at_least, 1);
  into.add("1 KiB, 64 packed in a block", large_packed.log_bytes / gib, "GiB/s");
}

}  // namespace holdfast::bench
