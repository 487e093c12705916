#include "patterns/cursor.hpp"

#include <algorithm>
#include <bit>

namespace holdfast {
namespace {

/// Bits [from, to) of a word, to <= 64.
std::uint64_t mask_of(std::uint32_t from, std::uint32_t to) noexcept {
  const std::uint64_t upto = to == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << to) - 1;
  return upto & ~((std::uint64_t{1} << from) - 1);
}

/// First bit in [from, end) that is set after `flip` was applied, else `end`.
template <class Words>
std::uint32_t find_bit(const Words& word, std::uint32_t from, std::uint32_t end,
                       std::uint64_t flip) noexcept {
  while (from < end) {
    const std::uint64_t left = (word[from / 64] ^ flip) & ~((std::uint64_t{1} << from % 64) - 1);
    if (left)
      return std::min(end, from / 64 * 64 + static_cast<std::uint32_t>(std::countr_zero(left)));
    from = from / 64 * 64 + 64;
  }
  return end;
}

}  // namespace

bool cursor::done(std::uint64_t sequence) const noexcept {
  if (sequence < floor_) return true;
  const auto at = chunks_.find(sequence / chunk_messages);
  if (at == chunks_.end()) return false;
  if (!at->second) return true;
  const std::uint64_t bit = sequence % chunk_messages;
  return at->second->word[bit / 64] >> bit % 64 & 1;
}

std::uint64_t cursor::next_open(std::uint64_t from) const noexcept {
  from = std::max(from, floor_);
  for (auto at = chunks_.find(from / chunk_messages);
       at != chunks_.end() && at->first == from / chunk_messages; ++at) {
    const std::uint64_t base = at->first * chunk_messages;
    if (at->second) {
      const auto bit = find_bit(at->second->word, static_cast<std::uint32_t>(from - base),
                                chunk_messages, ~std::uint64_t{0});
      if (bit < chunk_messages) return base + bit;
    }
    from = base + chunk_messages;
  }
  return from;
}

std::uint64_t cursor::next_done(std::uint64_t from, std::uint64_t limit) const noexcept {
  if (from < floor_) return std::min(from, limit);
  for (auto at = chunks_.lower_bound(from / chunk_messages); at != chunks_.end(); ++at) {
    const std::uint64_t base = at->first * chunk_messages;
    if (base >= limit) break;
    const std::uint64_t begin = std::max(from, base);
    if (!at->second) return std::min(begin, limit);
    const auto bit =
        find_bit(at->second->word, static_cast<std::uint32_t>(begin - base), chunk_messages, 0);
    if (bit < chunk_messages) return std::min(base + bit, limit);
  }
  return limit;
}

std::uint64_t cursor::mark(std::uint64_t first, std::uint64_t end) {
  first = std::max(first, floor_);
  std::uint64_t fresh = 0;
  if (first < end && first == floor_ && chunks_.empty()) {  // in order: no bitmap at all
    floor_ = end;
    return end - first;
  }
  while (first < end) {
    const std::uint64_t index = first / chunk_messages, base = index * chunk_messages;
    const std::uint64_t to = std::min(end, base + chunk_messages);
    fresh += mark_chunk(index, static_cast<std::uint32_t>(first - base),
                        static_cast<std::uint32_t>(to - base));
    first = to;
  }
  advance();
  return fresh;
}

std::uint64_t cursor::mark_chunk(std::uint64_t index, std::uint32_t first, std::uint32_t end) {
  auto [at, added] = chunks_.try_emplace(index);
  if (!added && !at->second) return 0;
  const std::uint64_t base = index * chunk_messages;
  if (added) at->second = std::make_unique<bitmap>();
  bitmap& bits = *at->second;
  if (added && floor_ > base) {  // what lies below the floor counts as done
    const auto below = static_cast<std::uint32_t>(std::min(floor_ - base, chunk_messages));
    for (std::uint32_t bit = 0; bit < below; bit += 64)
      bits.word[bit / 64] = mask_of(0, std::min<std::uint32_t>(64, below - bit));
    bits.count = below;
  }
  std::uint32_t fresh = 0;
  for (std::uint32_t bit = first; bit < end; bit = bit / 64 * 64 + 64) {
    const std::uint64_t wanted =
        mask_of(bit % 64, std::min<std::uint32_t>(64, end - bit / 64 * 64));
    fresh += static_cast<std::uint32_t>(std::popcount(wanted & ~bits.word[bit / 64]));
    bits.word[bit / 64] |= wanted;
  }
  bits.count += fresh;
  if (bits.count == chunk_messages) at->second.reset();
  return fresh;
}

void cursor::advance() {
  floor_ = next_open(floor_);
  while (!chunks_.empty()) {
    const auto lowest = chunks_.begin();
    const std::uint64_t base = lowest->first * chunk_messages;
    const bool nothing_above =
        lowest->second && floor_ >= base &&
        lowest->second->count == floor_ - base;  // only what lies below the floor is set
    if (base + chunk_messages > floor_ && !nothing_above) break;
    chunks_.erase(lowest);
  }
}

std::size_t cursor::bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& [index, bits] : chunks_) sum += bits ? sizeof(bitmap) : 0;
  return sum;
}

// u64 floor, u32 chunks, each u64 index, u8 full, and unless full its words.
void cursor::write(state_writer& row) const {
  row.u64(floor_);
  row.u32(static_cast<std::uint32_t>(chunks_.size()));
  for (const auto& [index, bits] : chunks_) {
    row.u64(index);
    row.u8(bits ? 0 : 1);
    if (bits) row.raw(std::as_bytes(std::span(bits->word)));
  }
}

bool cursor::read(state_reader& row) {
  floor_ = std::max<std::uint64_t>(row.u64(), 1);
  chunks_.clear();
  const std::uint32_t chunks = row.u32();
  for (std::uint32_t i = 0; i < chunks && !row.failed(); ++i) {
    const std::uint64_t index = row.u64();
    if (row.u8()) {
      chunks_[index] = nullptr;
      continue;
    }
    const bytes_view words_read = row.raw(chunk_messages / 8);
    if (row.failed()) break;
    auto bits = std::make_unique<bitmap>();
    std::memcpy(bits->word.data(), words_read.data(), words_read.size());
    for (const std::uint64_t word : bits->word)
      bits->count += static_cast<std::uint32_t>(std::popcount(word));
    chunks_[index] = std::move(bits);
  }
  return !row.failed();
}

}  // namespace holdfast
