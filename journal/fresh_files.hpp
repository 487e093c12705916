// fresh_files: files that were made and not written to their end yet. Space that was reserved and
// never written costs the file system an entry of its own with the sync that first writes it: a
// third request to the disk, where the page alone takes two. So zeros go ahead of small commits, a
// stretch at a time; large ones would only write everything twice.
//
// Contract: one thread at a time; whoever writes and syncs tells. It knows the newest few files: of
// a journal one or two are written at a time. What is beyond `end` of a file reads as zeros before
// and after.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "base/coding.hpp"
#include "base/storage.hpp"

namespace holdfast {

class fresh_files {
 public:
  static constexpr std::uint64_t stretch_bytes = 1 << 20;
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr unsigned small_syncs_min = 4;  ///< one after the other

  struct stretch {
    std::uint64_t at = 0, size = 0;
  };

  void made(file_id file, std::uint64_t size) {
    if (size > 0) files_[file] = {size};
    if (files_.size() > files_max) files_.erase(files_.begin());  // the oldest: numbers rise
  }
  void wrote(file_id file, std::uint64_t end) {
    const auto found = files_.find(file);
    if (found == files_.end()) return;
    fresh& one = found->second;
    one.end = std::max(one.end, end);
    if (one.end >= one.size) files_.erase(found);
  }
  /// `small`: there was little to write for the sync.
  void synced(file_id file, bool small) {
    const auto found = files_.find(file);
    if (found == files_.end()) return;
    fresh& one = found->second;
    one.small_syncs = small ? one.small_syncs + 1 : 0;
  }
  /// Where zeros should be written before the next sync, once the file is written up to `end` at
  /// least; none: size 0.
  stretch due(file_id file, std::uint64_t end = 0) const {
    const auto found = files_.find(file);
    if (found == files_.end() || found->second.small_syncs < small_syncs_min) return {};
    const fresh& one = found->second;
    end = std::max(end, one.end);
    if (one.zeros_end > end) return {};
    const std::uint64_t at = align_up(end, page_bytes);
    return {at, std::min(one.size, at + stretch_bytes) - std::min(one.size, at)};
  }
  void zeroed(file_id file, const stretch& what) {
    const auto found = files_.find(file);
    if (found != files_.end()) found->second.zeros_end = what.at + what.size;
  }
  void forget(file_id file) { files_.erase(file); }

 private:
  static constexpr std::size_t files_max = 8;
  struct fresh {
    std::uint64_t size = 0;
    std::uint64_t end = 0;        // written up to here
    std::uint64_t zeros_end = 0;  // and zeros up to here
    unsigned small_syncs = 0;
  };
  std::map<file_id, fresh> files_;
};

}  // namespace holdfast
