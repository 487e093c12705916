// journal_rig: a journal on real files as journal_bench drives it: batches of messages made ahead
// of what is measured, waiting for a level, checkpoints when they are due.
//
// Contract: one thread. Anything that fails ends the program with its reason.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/surroundings.hpp"
#include "journal/open.hpp"

namespace holdfast::bench {

inline constexpr std::size_t batch_messages = 64;

struct journal_bench_options {
  std::string directory;  ///< where scratch directories are made; empty: the system's
  double seconds = 1;     ///< of a measurement of throughput
  int repeats = 5;        ///< the best of so many
  std::uint64_t log_bytes = 4ull << 30;          ///< of the journal that is opened
  std::uint64_t messages = 20'000'000;           ///< of the backlog whose memory is measured
  std::uint64_t amplified_bytes = 256ull << 20;  ///< logged while device writes are counted
  std::uint64_t amplified_segment = 64ull << 20;
  std::string json;
};

/// CPU time of the calling thread, ns.
double cpu_ns();
/// What one reading of cpu_ns() costs, ns of CPU.
double cpu_ns_cost();
/// Anonymous memory of this process, bytes.
double anonymous_bytes();

/// A batch of 64 messages in a form that can be appended.
class message_batch {
 public:
  /// `packed`: one record with 64 entries; else 64 records of one message each.
  message_batch(std::size_t message_bytes, level need, bool packed);
  /// Messages go round so many streams.
  void spread(std::uint32_t streams) { streams_ = streams; }
  /// Items for the next turn, without the sums of their bodies; the bodies are the same ones.
  std::vector<append_item>& next(std::uint64_t time_ns);
  /// The sums of all bodies, which an append needs.
  void sum();
  std::uint64_t log_bytes() const noexcept;  ///< of one batch

 private:
  std::vector<append_item> items_;
  std::vector<buffer_ref> bodies_;
  level need_;
  std::uint16_t count_;
  std::uint32_t streams_ = 1;
  std::vector<std::uint64_t> sequences_;
  std::uint32_t stream_ = 0;
};

class bench_journal {
 public:
  /// Opens, replays, counts what came back.
  bench_journal(std::string path, journal_options options);
  ~bench_journal();
  journal& log() { return *log_; }
  ticket append(std::vector<append_item>& items) { return last_ = log_->append(items); }
  /// Takes in results; a checkpoint with so many rows of 200 bytes, if one is due.
  marks turn(std::uint64_t rows = 0);
  /// Until something was finished, for a few milliseconds at most.
  void sleep_until_news();
  /// Until everything appended has this level.
  void wait(level need);
  /// Until there is room for `bytes` more.
  void wait_room(std::uint64_t bytes, std::uint64_t rows = 0);
  void checkpoint(std::uint64_t rows);
  void close();
  const open_report& report() const { return report_; }
  double open_seconds() const { return open_seconds_; }
  std::uint64_t replayed_bytes() const { return replayed_bytes_; }

 private:
  open_report report_;
  std::unique_ptr<journal> log_;
  ticket last_ = 0;
  double open_seconds_ = 0;
  std::uint64_t replayed_bytes_ = 0;
};

/// Writes back and drops from memory all files below `directory`.
void make_cold(const std::string& directory);
/// Bytes written so far to the device that holds `path` (after syncing its file system); negative
/// where the system does not tell.
double device_bytes_written(const std::string& path);

}  // namespace holdfast::bench
