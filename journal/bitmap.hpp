// bitmap: a growing row of bits with whole-word operations over ranges. Which messages of an index
// row are gone.
//
// Contract: plain value, no I/O, one thread. Bits beyond size() are zero.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/coding.hpp"

namespace holdfast {

class bitmap {
 public:
  std::size_t size() const noexcept { return bits_; }
  std::span<const std::uint64_t> words() const noexcept { return words_; }
  bool test(std::size_t at) const noexcept { return (words_[at / 64] >> (at % 64) & 1) != 0; }

  /// To `bits` bits: new ones are zero, those beyond are dropped.
  void resize(std::size_t bits) {
    words_.resize((bits + 63) / 64);
    bits_ = bits;
    if (bits % 64 != 0) words_.back() &= mask(0, bits % 64);
  }
  /// Takes words of bits, little-endian, from word `at` on; within size().
  void load(std::size_t at, bytes_view words) noexcept {
    std::memcpy(&words_[at], words.data(), words.size());
    if (bits_ % 64 != 0) words_.back() &= mask(0, bits_ % 64);
  }
  /// Sets [from, to); returns how many of them were zero.
  std::size_t set(std::size_t from, std::size_t to) noexcept {
    std::size_t changed = 0;
    while (from < to) {
      const std::size_t end = std::min(to, (from / 64 + 1) * 64);
      const std::uint64_t ones = mask(from % 64, from % 64 + (end - from));
      std::uint64_t& word = words_[from / 64];
      changed += static_cast<std::size_t>(std::popcount(ones & ~word));
      word |= ones;
      from = end;
    }
    return changed;
  }
  /// The bits [from, to) as a row of their own.
  bitmap part(std::size_t from, std::size_t to) const {
    bitmap made;
    made.resize(to - from);
    for (std::size_t at = find(true, from, to); at < to;) {
      const std::size_t end = find(false, at, to);
      made.set(at - from, end - from);
      at = find(true, end, to);
    }
    return made;
  }
  std::size_t ones() const noexcept {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  /// The first bit of that value at or behind `from`, at most `to`.
  std::size_t find(bool value, std::size_t from, std::size_t to) const noexcept {
    while (from < to) {
      const std::uint64_t word = value ? words_[from / 64] : ~words_[from / 64];
      const std::uint64_t rest = word >> (from % 64);
      if (rest != 0) return std::min(to, from + static_cast<std::size_t>(std::countr_zero(rest)));
      from = (from / 64 + 1) * 64;
    }
    return to;
  }

 private:
  /// Ones at [from, to) of a word.
  static std::uint64_t mask(std::size_t from, std::size_t to) noexcept {
    const std::uint64_t below = to == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << to) - 1;
    return below & (~std::uint64_t{0} << from);
  }
  std::vector<std::uint64_t> words_;
  std::size_t bits_ = 0;
};

}  // namespace holdfast
