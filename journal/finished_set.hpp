// finished_set: which messages of a stream are finished above its floor: a bit each where order was
// left, next to nothing where all of a stretch are.
//
// Contract: plain value, no I/O, one thread. Memory: a bit for each message between the first and
// the last finished one of a stretch of 32 768, about 100 B for a stretch that is finished whole,
// nothing for one in which none is.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace holdfast {

class finished_set {
 public:
  /// Adds [from, to).
  void set(std::uint64_t from, std::uint64_t to);
  /// Takes [from, to) out.
  void clear(std::uint64_t from, std::uint64_t to);
  /// How many of [from, to) are in it.
  std::uint64_t count(std::uint64_t from, std::uint64_t to) const;
  /// The first of [from, to) that is in it, or is not; `to` if there is none.
  std::uint64_t find(bool in, std::uint64_t from, std::uint64_t to) const;
  /// Those below `floor` are of no interest any more.
  void drop_below(std::uint64_t floor);
  bool empty() const noexcept { return stretches_.empty(); }

  /// Calls take(first, whole, words) for each stretch that ends behind `from`, in order, until it
  /// returns false: all of [first, first + whole), or the bits of words, from `first` on.
  template <typename Take>
  void for_each(std::uint64_t from, Take take) const {
    for (auto at = stretches_.lower_bound(from / stretch_messages); at != stretches_.end(); ++at) {
      const stretch& one = at->second;
      const std::uint64_t first = at->first * stretch_messages + one.first_word * 64ull;
      const std::uint64_t whole = one.whole ? stretch_messages : 0;
      if (!take(one.whole ? at->first * stretch_messages : first, whole,
                std::span<const std::uint64_t>(one.words)))
        return;
    }
  }
  /// A sequence behind the stretch in which `sequence` is.
  static std::uint64_t behind(std::uint64_t sequence) noexcept {
    return (sequence / stretch_messages + 1) * stretch_messages;
  }
  /// Adds what for_each told.
  void add_words(std::uint64_t first, std::span<const std::uint64_t> words);

 private:
  static constexpr std::uint64_t stretch_messages = 1 << 15;
  struct stretch {
    bool whole = false;
    std::uint32_t first_word = 0;
    std::uint32_t ones = 0;
    std::vector<std::uint64_t> words;  // bits from first_word on
    void cover(std::uint32_t from, std::uint32_t to);
    void set(std::uint32_t from, std::uint32_t to);
    std::uint32_t count(std::uint32_t from, std::uint32_t to) const;
    std::uint32_t find(bool in, std::uint32_t from, std::uint32_t to) const;
    std::uint64_t word(std::uint32_t at) const noexcept;
  };

  std::map<std::uint64_t, stretch> stretches_;  // by sequence / stretch_messages
};

}  // namespace holdfast
