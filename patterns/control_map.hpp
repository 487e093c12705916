// control_map: the flat MessagePack maps of control frames. msgpack-c is included in
// control_map.cpp alone.
//
// Contract: pure; nothing here throws. Keys are short strings; values are unsigned integers,
// booleans, strings, binaries and arrays of either unsigned integers or texts. A reader's views are
// valid while the bytes it read are. Unknown keys and values of other kinds (nested up to 8 deep)
// are skipped. Limits: head 256 KiB, 32 fields, control_items_max items an array.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.hpp"
#include "base/record.hpp"
#include "patterns/frame.hpp"

namespace holdfast {

inline constexpr std::size_t control_fields_max = 32;
inline constexpr std::size_t control_key_bytes_max = 32;
inline constexpr std::size_t control_text_bytes_max = 4096;
inline constexpr std::size_t control_items_max = 8192;
inline constexpr std::size_t control_depth_max = 8;
inline constexpr std::size_t control_head_bytes_max = 256 * 1024;

/// Writes a frame's prefix and one map of at most 15 fields.
class control_writer {
 public:
  control_writer(frame_type type, std::uint32_t session);
  control_writer& number(std::string_view key, std::uint64_t value);
  control_writer& flag(std::string_view key, bool value);
  control_writer& text(std::string_view key, std::string_view value);
  control_writer& binary(std::string_view key, bytes_view value);
  /// As one flat array: first, count, first, count, ...
  control_writer& ranges(std::string_view key, std::span<const range> value);
  /// As an array of binaries.
  control_writer& texts(std::string_view key, std::span<const std::string> value);
  buffer_ref finish() const { return copy_to_buffer(bytes_); }

 private:
  void begin_field(std::string_view key);
  std::vector<std::byte> bytes_;
};

/// Reads the map behind a frame's prefix. A field that is absent leaves its default; one of the
/// wrong kind or out of its bounds fails the whole, and failed_field() names the first.
class control_reader {
 public:
  explicit control_reader(bytes_view head) noexcept;

  bool ok() const noexcept { return failed_.empty(); }
  std::string_view failed_field() const noexcept { return failed_; }

  template <class T>
  void number(std::string_view key, T& into, std::uint64_t min = 0,
              std::uint64_t max = static_cast<T>(~T{0})) noexcept {
    std::uint64_t value = 0;
    if (read_number(key, value, min, max)) into = static_cast<T>(value);
  }
  /// As number(), but the field must be there.
  template <class T>
  void need_number(std::string_view key, T& into, std::uint64_t min = 0,
                   std::uint64_t max = static_cast<T>(~T{0})) noexcept {
    if (!find(key)) return fail(key);
    number(key, into, min, max);
  }
  template <class E>
  void one_of(std::string_view key, E& into, std::uint64_t min, std::uint64_t max) noexcept {
    std::uint64_t value = 0;
    if (read_number(key, value, min, max)) into = static_cast<E>(value);
  }
  template <class E>
  void need_one_of(std::string_view key, E& into, std::uint64_t min, std::uint64_t max) noexcept {
    if (!find(key)) return fail(key);
    one_of(key, into, min, max);
  }
  void flag(std::string_view key, bool& into) noexcept;
  /// A string or a binary of at most `max` bytes.
  void text(std::string_view key, std::string& into, std::size_t min, std::size_t max);
  void binary16(std::string_view key, bytes16& into) noexcept;
  void ranges(std::string_view key, std::vector<range>& into, std::size_t max);
  /// An array of at most `max` strings or binaries of at most `bytes_max` bytes each; may be
  /// absent.
  void texts(std::string_view key, std::vector<std::string>& into, std::size_t max,
             std::size_t bytes_max);

 private:
  friend struct control_visitor;
  enum class kind : std::uint8_t { other, number, flag, text, empty_list, ints, texts };
  struct field {
    std::string_view key;
    kind what = kind::other;
    std::uint64_t value = 0;  // of an array: index of its first item in ints_ or texts_
    std::size_t items = 0;
    std::string_view bytes;
  };

  const field* find(std::string_view key) const noexcept;
  bool read_number(std::string_view key, std::uint64_t& value, std::uint64_t min,
                   std::uint64_t max) noexcept;
  void fail(std::string_view key) noexcept {
    if (failed_.empty()) failed_ = key;
  }

  std::array<field, control_fields_max> fields_{};
  std::size_t count_ = 0;
  std::vector<std::uint64_t> ints_;  // items of arrays, one array after another
  std::vector<std::string_view> texts_;
  std::string_view failed_;
};

}  // namespace holdfast
