// cursor: a group's place in a stream: every sequence below the floor is done, and some above it.
//
// Contract: sequences count from 1. At most one bit a message: done sequences above the floor lie
// in chunks of 64 Ki bits, freed when they are full. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "base/record.hpp"
#include "patterns/state.hpp"

namespace holdfast {

class cursor {
 public:
  static constexpr std::uint64_t chunk_messages = 64 * 1024;

  /// Lowest sequence that is not done.
  std::uint64_t floor() const noexcept { return floor_; }
  bool done(std::uint64_t sequence) const noexcept;
  /// Lowest sequence >= `from` that is not done; always exists.
  std::uint64_t next_open(std::uint64_t from) const noexcept;
  /// Lowest done sequence in [from, limit), else `limit`.
  std::uint64_t next_done(std::uint64_t from, std::uint64_t limit) const noexcept;
  /// Marks [first, end) as done; returns how many were not yet.
  std::uint64_t mark(std::uint64_t first, std::uint64_t end);
  /// Bytes of bitmaps held now.
  std::size_t bytes() const noexcept;

  void write(state_writer& row) const;
  bool read(state_reader& row);

 private:
  static constexpr std::size_t words = chunk_messages / 64;
  struct bitmap {
    std::array<std::uint64_t, words> word{};
    std::uint32_t count = 0;
  };
  /// Null: the whole chunk is done.
  using chunk = std::unique_ptr<bitmap>;

  std::uint64_t mark_chunk(std::uint64_t index, std::uint32_t first, std::uint32_t end);
  void advance();

  std::uint64_t floor_ = 1;
  std::map<std::uint64_t, chunk> chunks_;  // index = sequence / chunk_messages
};

}  // namespace holdfast
