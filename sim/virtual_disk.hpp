// virtual_disk: the storage seam in memory, deterministic from a seed. Writes stay pending until
// synced; a crash shows what a process or a machine would find afterwards; errors and a full disk
// can be ordered. Crash images can be taken without crashing: one by one, every choice of what of
// the unsynced survives.
//
// virtual_disk is the medium and outlives crashes; each run of a journal gets its own storage
// object from mount(). Operations complete in the order submitted, when the driver says so
// (step()) or, with auto_complete, as soon as they are polled or waited for.
//
// Contract: one thread. After crash() the storage objects of before are dead: they accept calls and
// do nothing. Sizes in bytes, sectors of 512.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/storage.hpp"
#include "sim/virtual_file.hpp"

namespace holdfast {

enum class crash_mode : std::uint8_t {
  process,  ///< completed operations stay; the one under way may be there in part
  power,    ///< synced bytes stay; an unsynced sector is old, new or a mix; names not synced with
            ///< their directory may be old or new
};

struct virtual_disk_options {
  std::uint64_t seed = 1;
  std::uint64_t capacity = 1ull << 40;  ///< bytes of all files; beyond it ENOSPC
  bool auto_complete = true;            ///< poll and wait run everything submitted
  bool sync_lies = false;  ///< sync reports success and does nothing: checkers must notice
  std::uint32_t mixed_sector_percent = 20;  ///< power: unsynced sectors that become a mix
};

/// One thing a power failure may leave old or new.
struct loose_end {
  std::string name;          ///< of the file
  bool is_name = false;      ///< the name itself: made, moved or removed, its directory not synced
  std::uint64_t sector = 0;  ///< number in the file
  std::uint64_t order = 0;   ///< rises with the writes
  virtual_file* file = nullptr;
};

class virtual_disk {
 public:
  explicit virtual_disk(virtual_disk_options options = {});
  ~virtual_disk();
  virtual_disk(const virtual_disk&) = delete;
  virtual_disk& operator=(const virtual_disk&) = delete;

  /// A storage on this disk, for one run. The former one is dead from now on.
  std::unique_ptr<storage> mount();

  /// Completes at most `count` submitted operations; returns how many.
  std::size_t step(std::size_t count = 1);
  std::size_t waiting() const noexcept;
  /// While held, loads wait and what was submitted behind them passes: they have a queue of their
  /// own on a real disk.
  void hold_loads(bool held) noexcept { loads_held_ = held; }
  /// Called after every operation that ran, before its result is reported.
  using watcher = std::function<void(const io_op&)>;
  void watch(watcher after) { watcher_ = std::move(after); }
  /// What was submitted and not completed may have happened, up to any point, unreported. Then
  /// everything not kept by `mode` is gone. After `process` unsynced bytes are still unsynced.
  void crash(crash_mode mode);

  // Crash images: other disks, as they would be found. What is submitted is not in them.
  std::vector<loose_end> loose_ends() const;
  /// After a power failure; `kept[i]` is what is left of loose_ends()[i]: for a name 0 = old, else
  /// new; for a sector how many of its first bytes are new (negative: of its last).
  std::unique_ptr<virtual_disk> without_power(std::span<const int> kept, std::uint64_t seed) const;
  /// After the process was killed; of the next operation, if it is a write, `bytes` were written.
  std::unique_ptr<virtual_disk> killed(std::uint64_t bytes, std::uint64_t seed) const;

  // Errors, counted over operations as they run: the nth from now (1 = the next) fails once.
  void fail(io_op::kind what, std::uint64_t nth, int error);
  void fail_write(std::uint64_t nth, int error) { fail(io_op::kind::write, nth, error); }
  void fail_sync(std::uint64_t nth, int error) { fail(io_op::kind::sync, nth, error); }
  void fail_create(std::uint64_t nth, int error) { fail(io_op::kind::create, nth, error); }
  void fail_load(std::uint64_t nth, int error) { fail(io_op::kind::load, nth, error); }
  /// Every operation of a kind fails from now on; 0: none.
  void fail_always(io_op::kind what, int error);
  /// The same over operations of every kind; `for_good`: all that follow fail too.
  void fail_operation(std::uint64_t nth, int error, bool for_good = false);
  /// The nth call from now of read_now, open_file, list or make_directory fails.
  void fail_call(std::uint64_t nth, int error) noexcept { call_failure_ = {nth, error}; }
  std::uint64_t operations() const noexcept { return operations_; }  ///< run so far
  std::uint64_t calls() const noexcept { return calls_; }            ///< that fail_call counts
  void set_capacity(std::uint64_t bytes) noexcept { options_.capacity = bytes; }
  void set_auto_complete(bool on) noexcept { options_.auto_complete = on; }
  void set_sync_lies(bool on) noexcept { options_.sync_lies = on; }
  /// Syncs of the files, and sync_dirs of the directories, for whose name this holds report success
  /// and do nothing.
  using chooser = std::function<bool(io_op::kind, const std::string& name)>;
  void leave_out_syncs(chooser of) { left_out_ = std::move(of); }

  // For tests: the medium as it is, and damage to it.
  std::vector<std::string> names() const;
  /// Bytes of a file as a reader would see them now, until the disk changes; empty if there is
  /// none.
  const std::vector<std::byte>& content(const std::string& name) const;
  void damage(const std::string& name, std::uint64_t at, std::span<const std::byte> bytes);
  /// The medium has had the bytes for some syncs (16, of any file), and nothing touched them since.
  bool settled(const std::string& name, std::uint64_t at, std::uint64_t size) const;
  void truncate(const std::string& name, std::uint64_t size);
  void remove_file(const std::string& name);
  /// The disk as it is now, nothing submitted: a copy to try several futures on.
  std::unique_ptr<virtual_disk> clone(std::uint64_t seed) const;
  /// The sum of all names and bytes: images with the same are the same.
  std::uint64_t fingerprint() const;
  std::uint64_t used_bytes() const noexcept;
  std::uint64_t syncs() const noexcept { return syncs_; }

 private:
  class mounted;
  struct countdown {
    std::uint64_t left = 0;
    int error = 0;
    bool for_good = false;
    int hit() noexcept {
      if (left == 0) return 0;
      if (left == 1 && for_good) return error;
      return --left == 0 ? error : 0;
    }
  };
  using file_ref = std::shared_ptr<virtual_file>;
  using file_names = std::map<std::string, file_ref>;
  using copies = std::map<const virtual_file*, file_ref>;

  int run(io_op& op);
  int planned_failure(io_op::kind what) noexcept;
  int run_write(const io_op& op, std::uint64_t limit);
  int run_sync(file_id file, int failure);
  int run_create(const io_op& op);
  int run_names(const io_op& op);
  bool left_out(io_op::kind what, const std::string& name) const;
  void sync_directory(const std::string& directory);
  void lose_power();
  void leave(std::span<const int> kept, random_source& growth);
  std::vector<loose_end> changed_names() const;
  std::unique_ptr<virtual_disk> copy(std::uint64_t seed, copies& made) const;

  virtual_disk_options options_;
  random_source random_;
  file_names names_;          // as programs see them
  file_names durable_names_;  // as of the last sync of their directory
  std::deque<io_op> queue_;
  bool loads_held_ = false;
  mounted* current_ = nullptr;
  std::map<io_op::kind, countdown> failures_;
  countdown operation_failure_, call_failure_;
  watcher watcher_;
  chooser left_out_;
  std::uint64_t syncs_ = 0;
  std::deque<std::uint64_t> synced_at_;  // operations: the last syncs, the oldest first
  std::uint64_t operations_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace holdfast
