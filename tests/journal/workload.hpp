// workload: a random writer over a journal on a virtual disk: records and batches of all levels,
// oversize ones, acks that free segments, checkpoints in slices, idle times, several lives. After
// every operation that the disk completed an observer may look at what a crash would leave.
//
// Contract: everything follows from the seed. run() ends early once something is wrong or the
// journal has failed for good.
#pragma once

#include <functional>
#include <string>

#include "tests/journal/history.hpp"
#include "tests/journal/rig.hpp"

namespace holdfast::testing {

struct workload_plan {
  std::uint64_t seed = 1;
  bool faults = false;          ///< writes and syncs fail now and then
  bool small_disk = false;      ///< a limit that makes space run out, and segments go round
  std::size_t live_blocks = 8;  ///< about so many of a stream are kept
};

class workload {
 public:
  explicit workload(workload_plan plan);

  using observer = std::function<void(workload&)>;
  /// Opens the journal and checks what is there; what is wrong, or nothing.
  std::string open(crash_mode after);
  void run(int steps, const observer& look = {});
  /// Everything submitted completes, with an observer at each operation.
  void drain(const observer& look = {});

  std::size_t accepted(crash_mode survives) const noexcept {
    return survives == crash_mode::power ? synced_ : written_;
  }
  bool failed() const noexcept { return failed_; }

  random_source random;
  rig r;
  history told;
  std::uint64_t rolls = 0;        ///< segments begun
  std::uint64_t checkpoints = 0;  ///< in force
  std::uint64_t recycled = 0;     ///< files of segments used again
  std::uint64_t oversize = 0;
  std::uint64_t full = 0;  ///< times that an append found no room

 private:
  void act(const observer& look);
  void append_some();
  std::size_t random_size();
  void acknowledge();
  void settle_one();
  void submit(std::span<append_item> items);
  void move_checkpoint();
  void complete_one(const observer& look);
  void take_marks();

  workload_plan plan_;
  std::array<std::uint64_t, history::streams + 1> next_{};
  std::array<std::uint64_t, history::streams + 1> settled_{};  // blocks below were settled or kept
  std::vector<std::byte> rows_;
  std::size_t rows_given_ = 0;
  std::size_t base_ = 0, written_ = 0, synced_ = 0;
  std::uint64_t recycled_ = 0;  // in this life
  bool failed_ = false;
};

}  // namespace holdfast::testing
