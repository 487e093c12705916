// segment_copy: the records of one segment, checked one by one while they are copied into a file of
// their own. The segment may be in use, and may be freed or used again meanwhile.
//
// Contract: blocking, tools only, one thread. What was copied stays right: a record is written once
// and the sum of its header is seeded with its place. So copying can go on where it stopped, at any
// time. "gone" means that the file is not this segment any more. Nothing is durable before
// finish(). Memory: two windows (1 MiB) or the largest record.
#pragma once

#include <string>
#include <vector>

#include "journal/record_walker.hpp"
#include "journal/tool_files.hpp"

namespace holdfast {

/// What a stretch of records holds.
struct record_totals {
  std::uint64_t records = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::vector<damage> damaged;  ///< copied as it is
  void add(const record_totals& more);
};

class segment_copy {
 public:
  segment_copy(std::string from, const segment_header& header, std::string to);

  enum class outcome : std::uint8_t {
    reached,  ///< the end that was asked for
    stuck,    ///< what follows is not, or not yet, a record
    gone,
  };
  /// Up to `end`, where its records are known to end: what is no record there is damage.
  result<outcome> copy_to(std::uint64_t end);
  /// As far as there are records now.
  result<outcome> copy_on();
  /// Takes everything up to `to` as one damaged stretch.
  result<outcome> copy_damaged(std::uint64_t to);

  /// What stands behind a place where no record can be read.
  struct beyond {
    std::uint64_t next = 0;       ///< position of the next whole record; 0 = none
    std::uint64_t watermark = 0;  ///< the highest among those behind
  };
  beyond look_beyond();

  /// Drops what lies above `limit`, and the batch that is open there.
  status cut_to(std::uint64_t limit);
  /// Appends a watermark record that proves all before it, unless there is one or no room.
  status prove(std::uint64_t time_ns);
  /// Writes both copies of `header`, gives the file its size, syncs it.
  status finish(const segment_header& header);

  const segment_header& header() const noexcept { return header_; }
  const std::string& path() const noexcept { return to_; }
  std::uint64_t end() const noexcept { return end_; }  ///< copied up to here
  /// The same without a watermark record at the end, which no other record proves.
  std::uint64_t end_to_prove() const noexcept {
    return proven_ ? end_ - record_header_bytes : end_;
  }
  std::uint64_t limit() const noexcept { return header_.base + header_.size; }
  std::uint64_t watermark() const noexcept { return watermark_; }
  const record_totals& totals() const noexcept { return totals_; }

 private:
  status open();
  void close();
  bool same_segment();
  record_walker walk(const tool_file& file, std::uint64_t to) const;
  status take(const walked& found);
  status flush();

  std::string from_;
  segment_header header_;
  std::uint64_t key_;
  std::string to_;
  tool_file in_;
  tool_file out_;
  std::uint64_t end_;
  std::uint64_t watermark_ = 0;
  record_totals totals_;
  std::vector<std::byte> pending_;  // records before end_, not written yet
  bool proven_ = false;             // the last record is a watermark
};

/// The header of a segment's file: its first copy, else its second; empty if neither is whole.
std::optional<segment_header> read_segment_header(const tool_file& file);

}  // namespace holdfast
