// ops_in_flight: what the log's writer asked of the storage and has no result of yet, with what is
// known once it has.
//
// Contract: one thread. Operations are numbered in the order they were asked for, by their tags.
#pragma once

#include "journal/chunk_queue.hpp"
#include "journal/core.hpp"

namespace holdfast {

/// The log up to here.
struct log_end {
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  ticket number = 0;
};

class ops_in_flight {
 public:
  struct op {
    log_end covers;
    std::uint64_t header_of = 0;  ///< base of the segment whose header's second copy it is for
    bool completes = false;       ///< that header
    bool done = false;
  };

  /// The tag of an operation that is asked for now.
  std::uint64_t add(const op& asked) {
    ops_.push_back(asked);
    return last_tag();
  }
  std::uint64_t last_tag() const noexcept { return make_tag(asker::log, first_ + ops_.size() - 1); }
  op& last() noexcept { return ops_.back(); }
  const op& at(std::uint64_t tag) const noexcept { return ops_[number_of(tag) - first_]; }
  /// Its result was given up.
  bool is_past(std::uint64_t tag) const noexcept { return number_of(tag) < first_; }
  /// Its result is there.
  op finish(std::uint64_t tag) {
    op& found = ops_[number_of(tag) - first_];
    found.done = true;
    const op copy = found;
    while (!ops_.empty() && ops_.front().done) {
      ops_.pop_front();
      ++first_;
    }
    return copy;
  }
  /// Gives up the results of all.
  void give_up() {
    first_ += ops_.size();
    ops_.clear();
  }
  /// Frees most of the memory that a burst left empty.
  void give_back() noexcept { ops_.give_back(); }

 private:
  chunk_queue<op> ops_;
  std::uint64_t first_ = 1;  // number of ops_.front()
};

}  // namespace holdfast
