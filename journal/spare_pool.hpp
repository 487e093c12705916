// spare_pool: segments ahead of need, so that rolling never waits, and the judge of how much disk
// is left. Files of segments that were freed are used again, which saves the file system the work
// of making new ones; their old bytes can never pass for records (formats are seeded). The last
// ones are a reserve for control records: when the disk is full, acks and checkpoints still find a
// place.
//
// Contract: no blocking. A spare made on the spot is used at once: operations run in order; if its
// creation fails, the writer is told and asks for another later. A file that cannot be made is like
// a full disk, whatever the reason: producers are held, and every second it is tried again.
#pragma once

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "journal/core.hpp"

namespace holdfast {

struct spare {
  std::uint32_t slot = 0;
  file_id file = 0;
  std::uint64_t size = 0;
  bool ready = false;   ///< made and its name synced
  bool reused = false;  ///< holds bytes of a former use
};

class spare_pool {
 public:
  explicit spare_pool(core& shared) : core_(shared) {}

  /// A file found when opening that holds nothing of the log. False: there are enough of them.
  bool adopt(spare found);
  /// The file of a freed segment, whose header is marked for it. False: there are enough.
  bool recycle(const segment& freed);
  /// Asks for more until the reserve and one ahead are there, as far as the disk allows.
  void refill();
  /// A segment of `size` bytes to write now. New operations go to the end of `ops`.
  spare take(std::uint64_t size, std::vector<io_op>& ops);
  /// A segment that was taken after all is not used: nothing was asked of its file, unless to make
  /// it, and that may not have left `ops` either.
  void give_back(const segment& unused);
  /// True if the failed result concerns a segment already in use; its file is given up.
  bool on_result(const io_result& done);
  /// Why no file could be made; 0 once one can.
  int refused() const noexcept { return refused_; }

  void measure_disk();
  /// Those that can be counted on: while files cannot be made, only what is there.
  std::size_t count() const noexcept;
  std::size_t beyond_reserve() const noexcept;
  bool full() const noexcept { return full_; }
  /// The disk has room for more than what segments and checkpoints need soon.
  bool ample() const noexcept { return disk_left_ >= 2 * core_.options.segment_bytes; }
  /// So much of it is taken for something else.
  void spend(std::uint64_t bytes) noexcept { disk_left_ -= std::min(disk_left_, bytes); }
  /// A file was removed: the disk has more room than was measured.
  void note_removed() noexcept { outdated_ = true; }
  /// Monotonic: when a disk without room is looked at again, as others may have freed some.
  std::uint64_t deadline() const noexcept;
  /// Body bytes the disk has for messages, for replies, and for everything.
  room disk_room() const noexcept;

 private:
  spare create(std::uint64_t size, std::vector<io_op>& ops);
  void try_again();
  void note_made(std::uint32_t slot);
  void give_up(const spare& of);
  void judge_full() noexcept;
  std::uint64_t active_left() const noexcept;
  std::uint64_t hysteresis() const noexcept;

  core& core_;
  std::deque<spare> spares_;
  std::vector<io_op> ops_;
  struct asked_for {
    std::uint64_t size = 0;
    bool made = false;  // its name is not synced yet
  };
  std::unordered_map<std::uint32_t, asked_for> coming_;  // by slot
  std::uint64_t coming_bytes_ = 0;
  std::uint64_t disk_free_ = 0;  // of the disk and the limit, whether or not files can be made
  std::uint64_t disk_left_ = 0;
  std::uint64_t measured_at_ = 0;
  std::uint64_t retry_at_ = 0;  // after a failed creation
  int refused_ = 0;
  bool measured_ = false;
  bool outdated_ = false;  // what was measured
  bool short_ = false;     // of disk for the next one
  bool full_ = false;
};

}  // namespace holdfast
