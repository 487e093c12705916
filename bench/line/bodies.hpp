// bodies: the messages of a line: a number, a mark, then bytes that follow from the number and from
// the run, so that whoever receives one can tell that it is whole, the right one, and in its turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::bench {

using body_view = std::span<const std::byte>;

/// The number of messages that only ask whether the line is open: they may be lost, repeated, late.
inline constexpr std::uint64_t greeting = ~std::uint64_t{0};

class bodies {
 public:
  /// At least 16 bytes. Runs differ where a line outlives them.
  explicit bodies(std::size_t bytes, std::uint64_t run = 0);
  /// Message `number`; valid until the next call.
  body_view of(std::uint64_t number);
  /// What is wrong with a message that should be `number`; empty if nothing is.
  const char* fault_in(std::uint64_t number, body_view found) const;

 private:
  std::size_t bytes_;
  std::vector<std::vector<std::byte>> kinds_;  // taken in turn
};

std::uint64_t number_in(body_view body);
/// A message of this run or of another, not somebody else's.
bool is_marked(body_view body);

}  // namespace holdfast::bench
