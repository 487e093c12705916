// sync_pace: how long syncs take on this disk of late, and how much a sync of a file would have to
// write: whether a thread that has other duties may make one.
//
// Contract: one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/storage.hpp"

namespace holdfast {

class sync_pace {
 public:
  static constexpr std::uint64_t quick_ns = ms_ns / 2;
  static constexpr std::uint64_t small_bytes = 64 * 1024;

  void wrote(file_id file, std::uint64_t bytes) {
    const std::size_t at = place_of(file);
    if (at == unsynced_.size()) unsynced_.push_back({file, 0});
    unsynced_[at].bytes += bytes;
  }
  /// Those of little are judged. A slow one counts for long: after one of 100 ms forty quick ones
  /// must follow.
  void synced(file_id file, std::uint64_t took_ns) {
    if (is_small(file)) slowest_ns_ = std::max(took_ns, slowest_ns_ - slowest_ns_ / 8);
    const std::size_t at = place_of(file);
    if (at == unsynced_.size()) return;
    unsynced_[at] = unsynced_.back();
    unsynced_.pop_back();
  }
  /// A sync of the file has little to write.
  bool is_small(file_id file, std::uint64_t more_bytes = 0) const {
    return waiting(file) + more_bytes <= small_bytes;
  }
  /// A sync of the file, after so many bytes more, may be expected to be short.
  bool is_quick(file_id file, std::uint64_t more_bytes) const {
    return slowest_ns_ <= quick_ns && is_small(file, more_bytes);
  }

 private:
  struct pending {
    file_id file = 0;
    std::uint64_t bytes = 0;
  };
  std::size_t place_of(file_id file) const {
    const auto at = std::find_if(unsynced_.begin(), unsynced_.end(),
                                 [&](const pending& p) { return p.file == file; });
    return static_cast<std::size_t>(at - unsynced_.begin());
  }
  std::uint64_t waiting(file_id file) const {
    const std::size_t at = place_of(file);
    return at == unsynced_.size() ? 0 : unsynced_[at].bytes;
  }

  std::uint64_t slowest_ns_ = second_ns;  // fades; a disk has to show first that it is quick
  std::vector<pending> unsynced_;         // files that were written since their last sync
};

}  // namespace holdfast
