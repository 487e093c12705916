#include "journal/finished_set.hpp"

#include <algorithm>
#include <bit>

namespace holdfast {
namespace {

constexpr std::uint32_t small_words = 64;

// Ones at [from, to) of a word.
std::uint64_t mask(std::uint32_t from, std::uint32_t to) noexcept {
  const std::uint64_t below = to == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << to) - 1;
  return below & (~std::uint64_t{0} << from);
}

// Calls take(word, mask) for the words of the bits [from, to), until it returns false.
template <typename Take>
void for_each_word(std::uint32_t from, std::uint32_t to, Take take) {
  while (from < to) {
    const std::uint32_t end = std::min(to, (from / 64 + 1) * 64);
    if (!take(from / 64, mask(from % 64, from % 64 + (end - from)))) return;
    from = end;
  }
}

}  // namespace

std::uint64_t finished_set::stretch::word(std::uint32_t at) const noexcept {
  if (whole) return ~std::uint64_t{0};
  return at < first_word || at - first_word >= words.size() ? 0 : words[at - first_word];
}

// Makes room for the words [from, to).
void finished_set::stretch::cover(std::uint32_t from, std::uint32_t to) {
  if (words.empty()) first_word = from;
  const std::uint32_t first = std::min(from, first_word);
  const std::uint32_t end = std::max(to, first_word + static_cast<std::uint32_t>(words.size()));
  if (end - first > small_words) words.reserve(stretch_messages / 64);
  words.insert(words.begin(), first_word - first, 0);
  first_word = first;
  words.resize(end - first);
}

void finished_set::stretch::set(std::uint32_t from, std::uint32_t to) {
  if (whole) return;
  cover(from / 64, (to + 63) / 64);
  for_each_word(from, to, [this](std::uint32_t at, std::uint64_t bits) {
    std::uint64_t& word = words[at - first_word];
    ones += static_cast<std::uint32_t>(std::popcount(bits & ~word));
    word |= bits;
    return true;
  });
  whole = ones == stretch_messages;
  if (whole) words = {};
}

std::uint32_t finished_set::stretch::count(std::uint32_t from, std::uint32_t to) const {
  std::uint32_t found = 0;
  for_each_word(from, to, [&](std::uint32_t at, std::uint64_t bits) {
    found += static_cast<std::uint32_t>(std::popcount(bits & word(at)));
    return true;
  });
  return found;
}

std::uint32_t finished_set::stretch::find(bool in, std::uint32_t from, std::uint32_t to) const {
  std::uint32_t found = to;
  for_each_word(from, to, [&](std::uint32_t at, std::uint64_t bits) {
    const std::uint64_t hit = bits & (in ? word(at) : ~word(at));
    if (hit != 0) found = at * 64 + static_cast<std::uint32_t>(std::countr_zero(hit));
    return hit == 0;
  });
  return found;
}

namespace {

// Calls take(number, from, to) for each stretch of [from, to), with the part of it, until it
// returns false.
template <typename Take>
void for_each_part(std::uint64_t size, std::uint64_t from, std::uint64_t to, Take take) {
  while (from < to) {
    const std::uint64_t number = from / size;
    const std::uint64_t end = std::min(to, (number + 1) * size);
    if (!take(number, static_cast<std::uint32_t>(from % size),
              static_cast<std::uint32_t>(end - number * size)))
      return;
    from = end;
  }
}

}  // namespace

void finished_set::set(std::uint64_t from, std::uint64_t to) {
  for_each_part(stretch_messages, from, to, [this](auto number, auto first, auto end) {
    stretches_[number].set(first, end);
    return true;
  });
}

void finished_set::clear(std::uint64_t from, std::uint64_t to) {
  for_each_part(stretch_messages, from, to, [this](auto number, auto first, auto end) {
    const auto at = stretches_.find(number);
    if (at == stretches_.end()) return true;
    stretch rest;
    const auto keep = [&](std::uint32_t begin, std::uint32_t limit) {
      for (std::uint32_t one = at->second.find(true, begin, limit); one < limit;) {
        const std::uint32_t next = at->second.find(false, one, limit);
        rest.set(one, next);
        one = at->second.find(true, next, limit);
      }
    };
    keep(0, first);
    keep(end, stretch_messages);
    if (rest.ones == 0)
      stretches_.erase(at);
    else
      at->second = std::move(rest);
    return true;
  });
}

std::uint64_t finished_set::count(std::uint64_t from, std::uint64_t to) const {
  std::uint64_t found = 0;
  const auto end = stretches_.upper_bound(to / stretch_messages);
  for (auto at = stretches_.lower_bound(from / stretch_messages); at != end; ++at) {
    const std::uint64_t base = at->first * stretch_messages;
    const std::uint64_t first = std::max(from, base) - base;
    const std::uint64_t limit = std::min(to, base + stretch_messages) - base;
    if (first < limit)
      found +=
          at->second.count(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(limit));
  }
  return found;
}

std::uint64_t finished_set::find(bool in, std::uint64_t from, std::uint64_t to) const {
  std::uint64_t found = to;
  const auto look = [&](auto number, auto first, auto end) {
    const auto at = stretches_.find(number);
    if (at == stretches_.end()) {
      found = number * stretch_messages + first;
      return false;
    }
    const std::uint32_t hit = at->second.find(in, first, end);
    if (hit != end) found = number * stretch_messages + hit;
    return hit == end;
  };
  if (!in) {
    for_each_part(stretch_messages, from, to, look);
    return found;
  }
  // Where nothing is finished there is nothing to look at.
  auto at = stretches_.lower_bound(from / stretch_messages);
  for (; at != stretches_.end() && found == to && at->first * stretch_messages < to; ++at) {
    const std::uint64_t base = at->first * stretch_messages;
    for_each_part(stretch_messages, std::max(from, base), std::min(to, base + stretch_messages),
                  look);
  }
  return found;
}

void finished_set::drop_below(std::uint64_t floor) {
  stretches_.erase(stretches_.begin(), stretches_.lower_bound(floor / stretch_messages));
}

void finished_set::add_words(std::uint64_t first, std::span<const std::uint64_t> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t base = first + i * 64;
    for (std::uint64_t bits = words[i]; bits != 0;) {
      const auto from = static_cast<std::uint32_t>(std::countr_zero(bits));
      const auto many = static_cast<std::uint32_t>(std::countr_one(bits >> from));
      set(base + from, base + from + many);
      bits &= ~mask(from, from + many);
    }
  }
}

}  // namespace holdfast
