// index_run: blocks of one stream that follow one another in one segment, on their way to the block
// index, where they are one row: they go there as one.
//
// Contract: one thread. The index has all of them only after end().
#pragma once

#include "journal/block_index.hpp"
#include "journal/tail_cache.hpp"

namespace holdfast {

class index_run {
 public:
  explicit index_run(block_index& to) : to_(to) {}

  /// A block in the segment that begins at `base`.
  void add(const placed& record, std::uint64_t base) {
    const record_head& head = record.head;
    const std::uint64_t size = record_size(record.body.size());
    if (stream_ == head.stream && messages_.end() == head.first_sequence && at_.base == base) {
      messages_.count += head.count;
      at_.bytes += size;
      return;
    }
    end();
    stream_ = head.stream;
    messages_ = {head.first_sequence, head.count};
    at_ = {record.position, base, size};
  }
  void end() {
    if (messages_.count != 0) to_.add(stream_, messages_, at_);
    stream_ = no_stream;
    messages_ = {};
    at_ = {};
  }

 private:
  block_index& to_;
  stream_id stream_ = no_stream;
  range messages_;
  block_index::place at_;
};

}  // namespace holdfast
