// What is there when the device comes back, and what it keeps in memory: opening, replay, a backlog
// of millions, acks in random order.
#include <algorithm>
#include <numeric>
#include <random>

#include "base/clock.hpp"
#include "bench/journal_measures.hpp"
#include "patterns/cursor.hpp"

namespace holdfast::bench {
namespace {

/// A journal of `bytes` of single messages of 64 B that ends as a crash would, right before its
/// next checkpoint: the longest tail.
void build(const std::string& path, std::uint64_t bytes, std::uint32_t addresses) {
  bench_journal on(path, {});
  message_batch batch(64, level::process, false);
  batch.spread(addresses);
  const auto one_turn = [&] {
    auto& items = batch.next(system_now().real_ns);
    batch.sum();
    on.append(items);
  };
  const std::uint64_t segment = journal_options{}.segment_bytes;
  std::uint64_t done = 0;
  for (; done < bytes || on.log().checkpoint_running(); done += batch.log_bytes()) {
    one_turn();
    on.turn(addresses);
    on.wait_room(batch.log_bytes(), addresses);
  }
  on.checkpoint(addresses);
  while (on.log().checkpoint_running()) on.wait(level::disk), on.log().progress();
  for (done = 0; done + (1 << 20) < segment; done += batch.log_bytes()) {
    one_turn();
    on.log().progress();
    while (on.log().available().message_bytes < batch.log_bytes()) on.log().progress();
  }
  on.wait(level::process);
}

struct opened {
  double cold_s = 1e9, hot_s = 1e9, clean_s = 1e9;
  double tail_bytes = 0;
};

opened open_times(const journal_bench_options& chosen, std::uint64_t bytes,
                  std::uint32_t addresses) {
  const scratch_directory where(chosen.directory);
  build(where.path(), bytes, addresses);
  opened best;
  // Opening begins an epoch and leaves what was replayed as it is, so it can be done again.
  for (int i = 0; i < chosen.repeats; ++i) {
    make_cold(where.path());
    const bench_journal cold(where.path(), {});
    best.cold_s = std::min(best.cold_s, cold.open_seconds());
    best.tail_bytes = static_cast<double>(cold.replayed_bytes());
  }
  for (int i = 0; i < chosen.repeats; ++i)
    best.hot_s = std::min(best.hot_s, bench_journal(where.path(), {}).open_seconds());
  for (int i = 0; i <= chosen.repeats; ++i) {
    bench_journal on(where.path(), {});
    if (i > 0) best.clean_s = std::min(best.clean_s, on.open_seconds());
    if (i > 0 && !on.report().clean) give_up("a journal that was closed well does not open clean");
    on.log().progress();
    on.checkpoint(addresses);
    on.close();
  }
  return best;
}

}  // namespace

void measure_open(const journal_bench_options& chosen, journal_report& into) {
  const double gib = static_cast<double>(chosen.log_bytes) / (1ull << 30);
  into.head("Opening the journal, replay included, single messages of 64 B");
  into.add("the log", gib, "GiB");
  const opened one = open_times(chosen, chosen.log_bytes, 1);
  into.add("tail replayed after a crash", one.tail_bytes / (1 << 20), "MiB");
  into.add("after a crash, cold", one.cold_s * 1e3, "ms", sense::at_most, 250);
  into.add("after a crash, hot", one.hot_s * 1e3, "ms");
  into.add("replay, hot", one.tail_bytes / one.hot_s / (1ull << 30), "GiB/s");
  into.add("clean, hot", one.clean_s * 1e3, "ms", sense::at_most, 20);
  constexpr std::uint32_t addresses = 100'000;
  const opened many =
      open_times(chosen, std::min(chosen.log_bytes, std::uint64_t{1} << 30), addresses);
  into.add("100 000 addresses, after a crash, cold", many.cold_s * 1e3, "ms", sense::at_most, 350);
  into.add("100 000 addresses, clean, hot", many.clean_s * 1e3, "ms", sense::at_most,
           20 + addresses * 1e-3);
}

void measure_memory(const journal_bench_options& chosen, journal_report& into) {
  into.head("Memory of a backlog, packed in blocks of 64 messages of 64 B");
  const scratch_directory where(chosen.directory);
  bench_journal on(where.path(), {});
  message_batch batch(64, level::process, true);
  const auto append = [&](std::uint64_t messages) {
    for (std::uint64_t done = 0; done < messages; done += batch_messages) {
      auto& items = batch.next(system_now().real_ns);
      batch.sum();
      on.append(items);
      on.turn();
      on.wait_room(batch.log_bytes());
    }
    on.wait(level::disk);
  };
  append(1'000'000);  // fills what is bounded: the tail in memory, malloc's own
  const double before = anonymous_bytes();
  append(chosen.messages);
  into.add("messages that are ready", static_cast<double>(chosen.messages) / 1e6, "M");
  into.add("memory added", (anonymous_bytes() - before) / (1 << 20), "MiB", sense::at_most, 32);
}

void measure_acks(const journal_bench_options& chosen, journal_report& into) {
  into.head("Acks in random order: the cursor of a group");
  std::vector<std::uint32_t> order(chosen.messages);
  std::iota(order.begin(), order.end(), 1);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  cursor acked;
  double most = 0;
  const double begin = cpu_ns();
  for (std::size_t i = 0; i < order.size(); ++i) {
    acked.mark(order[i], order[i] + 1ull);
    if (i % (1 << 16) == 0) most = std::max(most, static_cast<double>(acked.bytes()));
  }
  const double each = (cpu_ns() - begin) / static_cast<double>(order.size());
  if (acked.floor() != order.size() + 1) give_up("the cursor lost acks");
  into.add("an ack", each, "ns", sense::at_most, 400);
  into.add("most memory", most * 8 / static_cast<double>(order.size()), "bit/msg", sense::at_most,
           1.1);
}

}  // namespace holdfast::bench
