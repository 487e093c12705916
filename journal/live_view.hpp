// live_view: what a journal's directory holds at one moment, though a device may be writing it: the
// newest checkpoint that can be read, and the chain of segments.
//
// Contract: blocking, tools only, one thread. A look takes no lock and no snapshot: what changed
// meanwhile shows as a chain that does not hold together, and the next look is another one. Memory:
// one checkpoint, and a header for each segment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "journal/checkpoint_file.hpp"

namespace holdfast {

class live_view {
 public:
  explicit live_view(std::string directory) : directory_(std::move(directory)) {}

  status find_checkpoint();
  /// errc::not_found if there is no segment.
  status look_at_segments();

  bool has_checkpoint() const noexcept { return !name_.empty(); }
  const std::string& checkpoint_name() const noexcept { return name_; }
  const checkpoint_content& checkpoint() const noexcept { return checkpoint_; }
  const std::vector<std::byte>& checkpoint_bytes() const noexcept { return bytes_; }
  /// Of checkpoints that could not be read, a sentence each.
  const std::vector<std::string>& remarks() const noexcept { return remarks_; }

  /// The segment that comes behind the one with this base; null if none is known.
  const segment_header* successor(std::uint64_t base) const;
  bool has(std::uint64_t base) const { return headers_.contains(base); }
  const segment_header& first() const { return headers_.at(first_); }
  const segment_header& newest() const { return headers_.rbegin()->second; }

 private:
  status take_checkpoint(const std::string& name);
  void follow_chain();

  std::string directory_;
  checkpoint_content checkpoint_;  // its segments by base
  std::vector<std::byte> bytes_;
  std::string name_;  // empty: there is none
  std::vector<std::string> remarks_;
  std::map<std::uint64_t, segment_header> headers_;  // by base
  std::map<std::uint64_t, std::uint64_t> next_;      // base -> base of the next in the chain
  std::uint64_t first_ = 0;                          // base of the first in the chain
};

}  // namespace holdfast
