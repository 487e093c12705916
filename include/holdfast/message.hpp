// message: what an application sends and receives: an ordered list of parts, exact to the byte and
// to the boundary, empty parts included.
//
// Contract: views only; who owns the bytes is said where a view is handed out. Limits: 1 to 65 535
// parts, a part up to 1 GiB, a message up to max_message (256 MiB unless raised, 1 GiB at most).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

namespace holdfast {

/// The bytes of one part.
using part_view = std::span<const std::byte>;

/// Text as a part; valid as long as the text is.
inline part_view as_part(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// A part as text; valid as long as the part is.
inline std::string_view as_text(part_view part) noexcept {
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

/// The parts of a received message, in place. Iterate over it, or ask for a part by its index
/// (which adds up the lengths before it). Copying it copies the view.
class message_view {
 public:
  class iterator {
   public:
    using value_type = part_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const part_view*;
    using reference = part_view;

    iterator() noexcept = default;
    part_view operator*() const noexcept { return {at_, of_->part_size(index_)}; }
    iterator& operator++() noexcept {
      at_ += of_->part_size(index_++);
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator& other) const noexcept { return index_ == other.index_; }

   private:
    friend class message_view;
    iterator(const message_view* of, std::size_t index, const std::byte* at) noexcept
        : of_(of), index_(index), at_(at) {}
    const message_view* of_ = nullptr;
    std::size_t index_ = 0;
    const std::byte* at_ = nullptr;
  };

  message_view() noexcept = default;
  /// `lengths`: a little-endian u32 for each part, or empty for a message of one part. `data`: the
  /// parts one after another. For the library; applications receive these.
  message_view(part_view lengths, part_view data) noexcept : lengths_(lengths), data_(data) {}

  /// Number of parts, at least 1.
  std::size_t size() const noexcept { return lengths_.empty() ? 1 : lengths_.size() / 4; }
  /// Bytes of all parts together.
  std::size_t bytes() const noexcept { return data_.size(); }
  part_view operator[](std::size_t index) const noexcept {
    std::size_t at = 0;
    for (std::size_t i = 0; i < index; ++i) at += part_size(i);
    return data_.subspan(at, part_size(index));
  }
  iterator begin() const noexcept { return {this, 0, data_.data()}; }
  iterator end() const noexcept { return {this, size(), nullptr}; }

 private:
  std::size_t part_size(std::size_t index) const noexcept {
    if (lengths_.empty()) return data_.size();
    std::uint32_t size = 0;
    std::memcpy(&size, lengths_.data() + index * 4, sizeof size);
    return size;
  }
  part_view lengths_, data_;
};

}  // namespace holdfast
