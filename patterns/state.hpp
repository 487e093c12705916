// state_writer, state_reader: rows of a checkpoint. A row is {kind, as_of, bytes}; kinds are
// numbered in docs/journal_format.md. The journal stores them as they are and knows nothing of
// their meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/coding.hpp"

namespace holdfast {

enum class row_kind : std::uint8_t {
  stream = 1,       ///< catalog: a stream's definition and next sequence
  producer = 2,     ///< catalog: a producer
  position = 3,     ///< producer x stream: accepted_through
  queue = 4,        ///< work queue: cursor, failures, dead letters, counters
  channel = 5,      ///< catalog: a channel
  queue_marks = 6,  ///< work queue with limits: coarse table of when its messages came
  // pubsub
  history_marks = 16,  ///< coarse table of what is kept of a stream
  history = 17,        ///< a stream's next and lowest sequence
  subscription = 18,   ///< a durable subscription
  // reqrep
  request = 24,  ///< some of a service's requests without a reply
  reply = 25,    ///< some of a service's stored replies
};

/// Appends rows to one buffer. Fields are little-endian, strings are u16 length and bytes.
class state_writer {
 public:
  /// `as_of`: log::next_position() now; rows opened from here on carry it.
  void set_as_of(std::uint64_t position) noexcept { as_of_ = position; }
  void begin(row_kind kind);
  void u8(std::uint8_t v) { put(&v, sizeof v); }
  void u16(std::uint16_t v) { put(&v, sizeof v); }
  void u32(std::uint32_t v) { put(&v, sizeof v); }
  void u64(std::uint64_t v) { put(&v, sizeof v); }
  void text(std::string_view v);
  void raw(bytes_view v) { put(v.data(), v.size()); }
  void end();

  std::vector<std::byte>& bytes() noexcept { return bytes_; }
  std::size_t size() const noexcept { return bytes_.size(); }

 private:
  void put(const void* data, std::size_t size);
  std::vector<std::byte> bytes_;
  std::size_t row_start_ = 0;
  std::uint64_t as_of_ = 0;
};

/// Walks rows. Reads past a row's end give zeros and set failed(): a checkpoint is verified before
/// it gets here, so failed() means a version this build does not know.
class state_reader {
 public:
  explicit state_reader(bytes_view rows) noexcept : rows_(rows) {}
  /// Moves to the next row; false at the end.
  bool next() noexcept;
  row_kind kind() const noexcept { return kind_; }
  std::uint64_t as_of() const noexcept { return as_of_; }
  std::uint8_t u8() noexcept { return get<std::uint8_t>(); }
  std::uint16_t u16() noexcept { return get<std::uint16_t>(); }
  std::uint32_t u32() noexcept { return get<std::uint32_t>(); }
  std::uint64_t u64() noexcept { return get<std::uint64_t>(); }
  std::string_view text() noexcept;
  bytes_view raw(std::size_t size) noexcept;
  std::size_t left() const noexcept { return row_.size(); }
  bool failed() const noexcept { return failed_; }
  void rewind() noexcept { at_ = 0; }

 private:
  template <class T>
  T get() noexcept {
    const bytes_view taken = raw(sizeof(T));
    return taken.size() == sizeof(T) ? load<T>(taken.data()) : T{};
  }
  bytes_view rows_;
  bytes_view row_;
  std::size_t at_ = 0;
  std::uint64_t as_of_ = 0;
  row_kind kind_{};
  bool failed_ = false;
};

}  // namespace holdfast
