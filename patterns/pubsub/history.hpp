// history: what is kept of a pub/sub stream: its sequences, how far they are durable, and a coarse
// table (first sequence, time, bytes) from which retention and a start by time are answered.
//
// Contract: sans-IO, one thread. A mark is made for every grain of bytes or every second in which
// messages came, and never changes afterwards; beyond marks_max every other one is joined to the
// one before it, so memory is bounded. Limits of age and bytes hold to within one mark: nothing
// leaves before it is older than the age or the stream is larger than the bytes. The limit of
// records needs no marks: the newest so many always stay, and at most a sixteenth of it more, so
// that not every message makes another one leave. Times are real, taken as never going back.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.hpp"
#include "patterns/state.hpp"

namespace holdfast {

struct history_limits {
  std::uint64_t age_ns = 0;   ///< 0 = no limit
  std::uint64_t bytes = 0;    ///< of bodies; 0 = no limit
  std::uint64_t records = 0;  ///< messages; 0 = no limit
};

class history {
 public:
  static constexpr std::uint64_t grain_bytes_max = 1 << 20;
  static constexpr std::uint64_t grain_ns = second_ns;
  static constexpr std::size_t marks_max = 128 * 1024;  ///< 32 B each

  history() : history(history_limits{}) {}
  explicit history(history_limits limits) noexcept;

  std::uint64_t next() const noexcept { return next_; }        ///< the next message's sequence
  std::uint64_t lowest() const noexcept { return lowest_; }    ///< the oldest that is kept
  std::uint64_t visible() const noexcept { return visible_; }  ///< those below are durable
  /// Bytes of bodies kept, to within one mark.
  std::uint64_t bytes() const noexcept;

  void append(std::uint32_t count, std::uint64_t bytes, std::uint64_t real_ns);
  void set_visible(std::uint64_t end) noexcept;
  /// The sequence below which nothing need be kept any more; lowest() if all must stay. Only what
  /// is visible goes. `unneeded_below`: nobody waits for messages below it, whatever the limits.
  std::uint64_t expired(std::uint64_t real_ns, std::uint64_t unneeded_below = 0) const noexcept;
  /// The real time at which expired() moves by age; never_ns = not before more comes.
  std::uint64_t next_expiry_ns() const noexcept;
  void trim(std::uint64_t to);
  /// No message below this was taken at or after `real_ns`.
  std::uint64_t at_time(std::uint64_t real_ns) const noexcept;

  // State. Blocks are known by their sequences, so replaying one twice changes nothing.
  void replay(std::uint64_t first, std::uint32_t count, std::uint64_t bytes, std::uint64_t real_ns);
  /// Sequences below were in use: they are never given again.
  void raise(std::uint64_t next) noexcept;
  /// Everything that was replayed is durable.
  void start() noexcept { visible_ = next_; }
  /// Rows of kind history_marks until `budget` bytes are spent; true when all are written. The
  /// caller then writes write_ends() into a row of its own.
  bool snapshot_marks(state_writer& rows, std::uint32_t stream, std::size_t budget);
  void write_ends(state_writer& row) const;
  void read_marks(state_reader& row);
  void read_ends(state_reader& row);
  std::size_t marks() const noexcept { return marks_.size(); }

 private:
  struct mark {
    std::uint64_t first = 0;
    std::uint64_t real_ns = 0;       // of its first message
    std::uint64_t bytes_before = 0;  // of all messages that ever were before it
    std::uint64_t until_ns = 0;      // its messages came before
  };
  void thin();
  std::uint64_t beyond_marks(std::uint64_t real_ns) const noexcept;
  std::uint64_t beyond_records() const noexcept;

  history_limits limits_;
  std::uint64_t grain_bytes_;
  std::uint64_t next_ = 1, lowest_ = 1, visible_ = 1;
  std::uint64_t bytes_total_ = 0, last_ns_ = 0;
  std::deque<mark> marks_;
  std::uint64_t snapshot_from_ = 0;  // marks below were written into this snapshot
};

}  // namespace holdfast
