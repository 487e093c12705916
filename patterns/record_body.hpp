// body_writer, body_reader: the fields of a control record's body (docs/journal_format.md, "Control
// records"). Each pattern lays out its own records with them.
//
// Contract: pure. A body shorter than its layout reads as zeros and ok() is false; bytes beyond it
// belong to later versions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/checksum.hpp"
#include "patterns/ready.hpp"
#include "patterns/state.hpp"

namespace holdfast {

/// Fields of a record body, written like those of a checkpoint row.
class body_writer : public state_writer {
 public:
  void ranges(std::span<const range> list) {
    u32(static_cast<std::uint32_t>(list.size()));
    for (const range& r : list) {
      u64(r.first);
      u64(r.count);
    }
  }
  append_item item(record_type type, instant at, stream_id stream = no_stream) {
    append_item made;
    made.body = copy_to_buffer(bytes());
    made.head.type = type;
    made.head.stream = stream;
    made.head.time_ns = at.real_ns;
    made.head.body_sum = checksum(made.body.bytes());
    return made;
  }
};

/// Reads a body; after a read past its end ok() is false and every field is zero.
class body_reader {
 public:
  explicit body_reader(bytes_view body) noexcept : rest_(body) {}
  template <class T>
  T get() noexcept {
    const bytes_view taken = take(sizeof(T));
    return taken.size() == sizeof(T) ? load<T>(taken.data()) : T{};
  }
  std::string text() {
    const bytes_view taken = take(get<std::uint16_t>());
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::vector<range> ranges() {
    std::vector<range> list;
    const auto count = get<std::uint32_t>();
    if (count > rest_.size() / 16) ok_ = false;
    for (std::uint32_t i = 0; ok_ && i < count; ++i) {
      const auto first = get<std::uint64_t>();
      list.push_back({first, get<std::uint64_t>()});
    }
    return list;
  }
  bytes_view take(std::size_t size) noexcept {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const bytes_view taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  bool ok() const noexcept { return ok_; }

 private:
  bytes_view rest_;
  bool ok_ = true;
};

/// What a decoder returns: nothing if the body was too short.
template <class T>
std::optional<T> checked(const body_reader& from, T&& made) {
  if (!from.ok()) return std::nullopt;
  return std::forward<T>(made);
}

}  // namespace holdfast
