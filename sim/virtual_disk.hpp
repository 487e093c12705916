// virtual_disk: the storage seam in memory, deterministic from a seed. Writes stay pending until
// synced; a crash shows what a process or a machine would find afterwards; errors and a full disk
// can be ordered.
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
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/storage.hpp"

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
  /// What was submitted and not completed may have happened, up to any point, unreported. Then
  /// everything not kept by `mode` is gone. After `process` unsynced bytes are still unsynced.
  void crash(crash_mode mode);

  // Errors, counted over operations as they run: the nth from now (1 = the next) fails once.
  void fail_write(std::uint64_t nth, int error);
  void fail_sync(std::uint64_t nth, int error);
  void fail_create(std::uint64_t nth, int error);
  void fail_load(std::uint64_t nth, int error);
  void set_capacity(std::uint64_t bytes) noexcept { options_.capacity = bytes; }
  void set_auto_complete(bool on) noexcept { options_.auto_complete = on; }
  void set_sync_lies(bool on) noexcept { options_.sync_lies = on; }

  // For tests: the medium as it is, and damage to it.
  std::vector<std::string> names() const;
  /// Bytes of a file as a reader would see them now; empty if there is none.
  std::vector<std::byte> content(const std::string& name) const;
  void damage(const std::string& name, std::uint64_t at, std::span<const std::byte> bytes);
  void remove_file(const std::string& name);
  /// The disk as it is now, nothing pending: a copy to try several futures on.
  std::unique_ptr<virtual_disk> clone(std::uint64_t seed) const;
  std::uint64_t used_bytes() const noexcept;
  std::uint64_t syncs() const noexcept { return syncs_; }

 private:
  class mounted;
  struct node;  // a file's bytes: durable, and the sectors written since
  struct countdown {
    std::uint64_t left = 0;
    int error = 0;
    int hit() noexcept { return left != 0 && --left == 0 ? error : 0; }
  };
  using node_ref = std::shared_ptr<node>;

  int run(io_op& op);
  int run_write(const io_op& op, std::uint64_t limit);
  int run_sync(file_id file);
  int run_create(const io_op& op);
  int run_names(const io_op& op);
  void sync_directory(const std::string& directory);
  void lose_power();

  virtual_disk_options options_;
  random_source random_;
  std::map<std::string, node_ref> names_;          // as programs see them
  std::map<std::string, node_ref> durable_names_;  // as of the last sync of their directory
  std::deque<io_op> queue_;
  mounted* current_ = nullptr;
  countdown write_failure_, sync_failure_, create_failure_, load_failure_;
  std::uint64_t syncs_ = 0;
};

}  // namespace holdfast
