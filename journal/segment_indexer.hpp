// segment_indexer: sees to it that each sealed segment that holds something live has its index
// file, and, after an opening, that the block index knows what lies in the segments whose rows the
// checkpoint left to their index files. The newest come first: what was moved counts where it is.
//
// Contract: one thread; step() takes a slice of work a turn and never waits. Files are read, gone
// through and sorted where the storage reads. One segment at a time. A file that cannot be written
// costs no more than rows in checkpoints; one that cannot be used is made again.
#pragma once

#include <vector>

#include "journal/core.hpp"
#include "journal/segment_index.hpp"
#include "journal/spare_pool.hpp"

namespace holdfast {

class segment_indexer {
 public:
  segment_indexer(core& shared, spare_pool& spares) : core_(shared), spares_(spares) {}

  void step();
  void on_result(const io_result& done);
  /// The result is of something that was given up since, or whose segment is gone.
  bool is_past(const io_result& done) const noexcept {
    return number_of(done.tag) < first_tag_ || !is_there(core_.segments.find(base_));
  }
  /// Monotonic: when step() should be called even if nothing happens.
  std::uint64_t deadline() const noexcept { return work_ == work::filling ? 0 : never_ns; }

 private:
  enum class work : std::uint8_t { none, reading, scanning, filling, writing };

  static bool is_there(const segment* of) noexcept { return of && of->in_log; }
  segment* target() noexcept { return core_.segments.find(base_); }
  bool find_unknown();
  void find_unwritten();
  void begin(const segment& of);
  void read_file(const segment& of);
  void scan(segment& of);
  void take_index(segment& of, buffer_ref index);
  void fill(segment& of);
  void end_filling(segment& of);
  void write_file(segment& of);
  void end_writing(segment& of);
  void put(io_op op);
  void stop();
  void close_left(std::uint64_t tag);

  core& core_;
  spare_pool& spares_;
  work work_ = work::none;
  std::uint64_t base_ = 0;  // of the segment
  std::shared_ptr<segment_scan> scan_;
  std::uint64_t asked_bytes_ = 0;  // of the scan
  buffer_ref index_;
  std::uint32_t filled_ = 0;  // runs
  file_id file_ = 0;
  std::uint64_t tag_ = 0;
  std::uint64_t first_tag_ = 1;  // results of before are of no interest
  std::uint32_t outstanding_ = 0;
  struct left_file {
    file_id file = 0;
    std::uint64_t last_tag = 0;  // of what was asked of it
  };
  std::vector<left_file> left_;  // to be closed then
  bool bad_ = false;
  bool unread_ = false;  // a part of the segment could not be read: it is kept whatever is known
};

}  // namespace holdfast
