// dead_letters: what a queue has given up, with the reason. The bodies stay where they are in the
// log: a dead letter is a range, not a copy.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "patterns/records.hpp"

namespace holdfast {

struct dead_letter {
  range messages;
  failure why = failure::rejected;
  std::uint16_t failed = 0;
  std::uint64_t time_ns = 0;  ///< realtime
  std::string reason;         ///< at most 1 KiB
};

class dead_letters {
 public:
  void add(dead_letter letter);
  const std::deque<dead_letter>& all() const noexcept { return letters_; }

  void write(state_writer& row) const;
  void read(state_reader& row);

 private:
  std::deque<dead_letter> letters_;  // in the order they died
};

}  // namespace holdfast
