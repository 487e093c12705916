// What the disk adds: accepted messages a second beside a bare loop, and bytes the device writes
// for each byte of log.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.hpp"
#include "bench/journal_measures.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t bare_bytes = 64ull << 20;

/// A preallocated file; `used`: written once before, as a recycled segment is.
int bare_file(const std::string& path, bool used) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || ::posix_fallocate(fd, 0, bare_bytes) != 0) give_up(path + " cannot be made");
  const std::vector<std::byte> zeros(1 << 20);
  for (std::uint64_t at = 0; used && at < bare_bytes; at += zeros.size())
    if (::pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0)
      give_up("pwrite failed");
  ::fsync(fd);
  return fd;
}

/// Commits a second of `bytes` each, pwrite and fdatasync, one after another.
double bare_commits(const std::string& path, std::uint64_t bytes, bool used, double seconds) {
  const int fd = bare_file(path, used);
  const std::vector<std::byte> batch(bytes, std::byte{0x5a});
  const double begin = now_seconds();
  std::uint64_t done = 0, at = 0;
  while (now_seconds() - begin < seconds) {
    if (at + bytes > bare_bytes) at = 0;
    if (::pwrite(fd, batch.data(), bytes, static_cast<off_t>(at)) < 0 || ::fdatasync(fd) != 0)
      give_up("writing without the journal failed");
    at += bytes;
    ++done;
  }
  const double rate = static_cast<double>(done) / (now_seconds() - begin);
  ::close(fd);
  return rate;
}

/// Single streams of messages that come and go, each commit waited for.
struct traffic {
  bench_journal& on;
  message_batch& batch;
  std::uint32_t addresses;
  std::uint64_t turns = 0;
  std::uint64_t page_bytes = 0;    ///< of whole pages that each commit touched
  std::uint64_t record_bytes = 0;  ///< appended

  /// Durable before the next one is appended.
  void commit() {
    auto& items = batch.next(system_now().real_ns);
    batch.sum();
    const std::uint64_t from = on.log().next_position();
    const ticket last = on.append(items);
    record_bytes += batch.log_bytes();
    page_bytes += (on.log().next_position() + 4095) / 4096 * 4096 - from / 4096 * 4096;
    on.log().before_sleep();  // nothing else is to do, as in a device on an idle line
    while (on.turn(addresses).synced < last) on.sleep_until_news();
    if (++turns % 512 != 0) return;
    for (stream_id s = 1; s <= addresses; ++s) on.log().trim(s, turns * batch_messages / addresses);
  }
  void run(std::uint64_t bytes) {
    for (std::uint64_t done = 0; done < bytes; done += batch.log_bytes()) commit();
  }
  /// Commits a second.
  double rate(double seconds) {
    const double begin = now_seconds();
    const std::uint64_t before = turns;
    while (now_seconds() - begin < seconds) commit();
    return static_cast<double>(turns - before) / (now_seconds() - begin);
  }
  /// Until files of segments are used again, if the journal does that.
  void go_round(std::uint64_t segment_bytes) {
    const std::uint64_t before = on.log().stats().recycled;
    for (int i = 0; i < 6 && on.log().stats().recycled < before + 2; ++i) {
      run(segment_bytes);
      on.checkpoint(addresses);
      on.wait(level::disk);
    }
  }
};

void write_down(journal_report& into, double journal, double used, double fresh) {
  into.add("the journal", journal * batch_messages, "msg/s");
  into.add("a bare loop on a file written before", used * batch_messages, "msg/s");
  into.add("a bare loop on a fresh file", fresh * batch_messages, "msg/s");
  into.add("the journal / the loop on a file written before", journal / used, "x", sense::at_least,
           0.7);
  into.add("the journal / the loop on a fresh file", journal / fresh, "x");
}

void write_amplification(const journal_bench_options& chosen, std::size_t message_bytes,
                         const std::string& name, journal_report& into) {
  constexpr std::uint32_t addresses = 10'000;
  const scratch_directory where(chosen.directory);
  journal_options options;
  options.segment_bytes = chosen.amplified_segment;
  bench_journal on(where.path(), options);
  message_batch batch(message_bytes, level::disk, false);
  batch.spread(addresses);
  traffic flow{on, batch, addresses};
  flow.go_round(options.segment_bytes);
  const double before = device_bytes_written(where.path());
  if (before < 0) return into.add("the system does not tell what the device writes", 0, "");
  const std::uint64_t from = on.log().next_position();
  const std::uint64_t checkpoints = on.log().stats().checkpoints;
  flow.page_bytes = flow.record_bytes = 0;
  flow.run(chosen.amplified_bytes);
  on.wait(level::disk);
  // Of records alone: what fills up pages is the journal's own.
  const auto logged = static_cast<double>(flow.record_bytes);
  const auto taken = static_cast<double>(on.log().next_position() - from);
  into.add(name + ": device bytes / log byte",
           (device_bytes_written(where.path()) - before) / logged, "x", sense::at_most, 1.35);
  // A page that two commits touch is written twice.
  into.add(name + ": pages touched by each commit / log byte",
           static_cast<double>(flow.page_bytes) / logged, "x");
  into.add(name + ": space taken / log byte", taken / logged, "x");
  into.add(name + ": logged", logged / (1 << 20), "MiB");
  into.add(name + ": checkpoints", static_cast<double>(on.log().stats().checkpoints - checkpoints),
           "");
}

}  // namespace

void measure_accepted(const journal_bench_options& chosen, journal_report& into) {
  into.head("Accepted at level disk, one batch of 64 messages of 256 B after another");
  const scratch_directory where(chosen.directory), beside(chosen.directory);
  journal_options options;
  options.segment_bytes = 8 << 20;
  options.checkpoint_bytes = 8 << 20;
  bench_journal on(where.path(), options);
  message_batch batch(256, level::disk, false);
  traffic flow{on, batch, 1};
  flow.go_round(options.segment_bytes);
  double journal = 0, used = 0, fresh = 0;
  for (int i = 0; i < chosen.repeats; ++i) {
    const std::string file = beside.path() + "/bare";
    used = std::max(used, bare_commits(file, batch.log_bytes(), true, chosen.seconds));
    journal = std::max(journal, flow.rate(chosen.seconds));
    fresh = std::max(fresh, bare_commits(file, batch.log_bytes(), false, chosen.seconds));
  }
  write_down(into, journal, used, fresh);
}

void measure_amplification(const journal_bench_options& chosen, journal_report& into) {
  into.head("Device writes, 10 000 addresses, checkpoints included, one commit after another");
  // Commits of two whole pages, and of three quarters of a page more than two.
  write_amplification(chosen, 64, "commits of 8 KiB", into);
  write_amplification(chosen, 108, "commits of 11 KiB", into);
}

}  // namespace holdfast::bench
