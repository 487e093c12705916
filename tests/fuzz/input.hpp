// input: takes values from the bytes of a fuzzer; behind their end everything is zero.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/coding.hpp"

namespace holdfast::testing {

class fuzz_input {
 public:
  fuzz_input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const std::byte*>(data), size) {}

  template <class T>
  T take() noexcept {
    T value{};
    const std::size_t size = std::min(sizeof value, rest_.size());
    if (size != 0) std::memcpy(&value, rest_.data(), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  bytes_view take_bytes(std::size_t size) noexcept {
    const bytes_view taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  /// A byte that says how many follow, and those.
  bytes_view take_piece() noexcept { return take_bytes(take<std::uint8_t>()); }
  /// One piece or more, at most `max`.
  std::vector<bytes_view> take_pieces(std::size_t max) {
    std::vector<bytes_view> pieces(1 + take<std::uint8_t>() % max);
    for (bytes_view& piece : pieces) piece = take_piece();
    return pieces;
  }
  bytes_view rest() const noexcept { return rest_; }
  std::string rest_text() const {
    return {reinterpret_cast<const char*>(rest_.data()), rest_.size()};
  }
  bool empty() const noexcept { return rest_.empty(); }

 private:
  bytes_view rest_;
};

/// Ends the program where a fuzzer looks.
inline void must(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace holdfast::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
