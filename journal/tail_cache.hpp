// tail_cache: the newest records, with the very buffers they were appended in. It serves live
// delivery, holds what is not synced yet (so that it can be rewritten after a failed sync), and
// forgets the oldest synced ones beyond its bound.
//
// Contract: no I/O, one thread. Records are numbered by ordinals that never change while they are
// here. A charge is the record's bytes plus what keeping it costs.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/log.hpp"
#include "journal/chunk_queue.hpp"
#include "journal/format.hpp"
#include "journal/ring.hpp"

namespace holdfast {

struct placed {
  record_head head;
  buffer_ref body;
  std::uint64_t position = 0;
  ticket number = 0;  ///< 0: a record of the journal itself
  std::uint64_t end() const noexcept { return position + record_size(body.size()); }
  /// Relocated ones are found where they were until they are durable, and then on disk.
  bool is_new_block() const noexcept {
    return head.type == record_type::block && (head.flags & record_flag::relocated) == 0;
  }
  std::uint64_t charge() const noexcept { return record_size(body.size()) + 128; }
};

class tail_cache {
 public:
  /// The record as it is kept; valid until it is dropped.
  const placed& push(const record_head& head, buffer_ref&& body, std::uint64_t position,
                     ticket number);
  /// Drops the oldest records below position `synced` while more than `bound` bytes are held.
  void shrink(std::uint64_t bound, std::uint64_t synced);
  /// Frees most of the memory that a burst left empty.
  void give_back() noexcept { records_.give_back(); }

  std::uint64_t end_ordinal() const noexcept { return first_ + records_.size(); }
  placed& at(std::uint64_t ordinal) noexcept { return records_[ordinal - first_]; }
  /// Ordinal of the first record at or behind `position`.
  std::uint64_t lower_bound(std::uint64_t position) const noexcept;

  /// Where `stream`'s block that contains `sequence` is; end_ordinal() if it is not here.
  std::uint64_t find(stream_id stream, std::uint64_t sequence) const noexcept;
  /// The stream's next block after that at `ordinal`; end_ordinal() if none.
  std::uint64_t next_of(stream_id stream, std::uint64_t ordinal) const noexcept;
  /// First sequence of `stream` at or above `from` that is here; all ones if none.
  std::uint64_t first_sequence(stream_id stream, std::uint64_t from) const noexcept;

  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  using places = ring<std::uint64_t>;  // ordinals of a stream's blocks
  std::size_t place_of(const places& of, std::uint64_t sequence) const noexcept;

  struct memo {  // the stream asked for last: records of one often follow one another
    stream_id stream = no_stream;
    places* of = nullptr;
  };
  places& places_of(stream_id stream, memo& last);
  void forget_oldest_of(stream_id stream);

  chunk_queue<placed> records_;
  std::unordered_map<stream_id, places> streams_;
  memo pushed_;
  memo dropped_;
  std::uint64_t first_ = 0;
  std::uint64_t bytes_ = 0;
};

inline block to_block(const record_head& head, buffer_ref body) {
  return {head.stream,   head.first_sequence, head.count,           head.props_mask, head.time_ns,
          head.body_sum, head.producer,       head.producer_number, std::move(body)};
}

}  // namespace holdfast
