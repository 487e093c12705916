// queue_marks: when the messages of a queue came and how large they are, coarsely: what limits of
// age and bytes are reckoned from.
//
//   | mark          | mark     |    mark         |  ... next sequence
//     some finished   all open    still growing
//
// Contract: sans-IO, one thread. Kept only for queues with such a limit. A mark stands for
// consecutive messages: a sixteenth of a limit of them, or one large block; a message counts with
// the mean size of its mark. At most marks_max, the oldest two are joined beyond. Times are real,
// taken as never going back.
#pragma once

#include <cstdint>
#include <vector>

#include "patterns/queue/queue_limits.hpp"
#include "patterns/state.hpp"

namespace holdfast {

class queue_marks {
 public:
  static constexpr std::size_t marks_max = 64;

  explicit queue_marks(const queue_limits& limits) noexcept : limits_(limits) {}

  bool used() const noexcept { return limits_.age_ns != 0 || limits_.bytes != 0; }
  /// Messages [first, first + count), behind all others.
  void append(std::uint64_t first, std::uint64_t count, std::uint64_t bytes, std::uint64_t real_ns);
  /// These are over. Each message once.
  void finish(std::uint64_t first, std::uint64_t end);

  std::uint64_t open() const noexcept;
  /// Of what is open.
  std::uint64_t bytes() const noexcept;
  /// What is beyond the limits lies below this sequence; 0 = nothing is.
  std::uint64_t keep_from(std::uint64_t real_ns) const noexcept;
  /// The real time at which the age next takes something; never_ns = not before more comes.
  std::uint64_t next_expiry_ns(std::uint64_t real_ns) const noexcept;

  // State.
  void write(state_writer& row) const;
  void read(state_reader& row);
  /// `count` open messages below `end` that no mark knows: they came before `real_ns`, and how
  /// large they are nobody knows any more.
  void adopt(std::uint64_t first, std::uint64_t end, std::uint64_t count, std::uint64_t real_ns);
  std::uint64_t first() const noexcept { return marks_.empty() ? ~0ull : marks_.front().first; }

 private:
  struct mark {
    std::uint64_t first = 0, end = 0;
    std::uint64_t count = 0, bytes = 0;  // of all its messages, finished ones included
    std::uint64_t open = 0;
    std::uint64_t began_ns = 0, newest_ns = 0;  // of its messages
    std::uint64_t open_bytes() const noexcept {
      return (bytes / count + (bytes % count != 0)) * open;
    }
  };
  bool full(const mark& m, std::uint64_t bytes_more) const noexcept;
  void join_oldest();

  queue_limits limits_;
  std::uint64_t last_ns_ = 0;
  std::vector<mark> marks_;
};

}  // namespace holdfast
