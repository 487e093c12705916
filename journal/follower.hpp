// follower: goes through a journal record by record and stays at its end: what a device writes
// later comes later, over new segments and restarts of the device. It touches nothing: pread,
// verify, no lock.
//
// Contract: blocking reads, no waiting: `idle` means that nothing more is there now; ask again.
// One thread. Half-written records are waited for. What is handed out was written, which need not
// mean that it is durable: `cut` says that a recovery took some of it back. Memory: one window
// (1 MiB) or the largest record, and a row for each segment while it looks where the log goes on.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "journal/seen_record.hpp"
#include "journal/segment_list.hpp"

namespace holdfast {

struct followed {
  enum class kind : std::uint8_t {
    idle,     ///< nothing more now
    record,   ///< `seen`; its views hold until the next call
    trimmed,  ///< [from, to) was removed before it was read
    damaged,  ///< [from, to) cannot be read; `rot` says what is known of it
    cut,      ///< [from, to) was handed out, or skipped, and is no part of the log any more
  };
  kind what = kind::idle;
  seen_record seen;
  std::uint64_t from = 0, to = 0;  ///< positions
  damage rot;
};

class journal_follower {
 public:
  using clock = std::function<instant()>;
  static constexpr std::uint64_t from_first = 0;
  static constexpr std::uint64_t from_next = ~std::uint64_t{0};
  /// Begins with the first record at or behind `from`. errc::not_found if there is no journal.
  static result<journal_follower> open(const std::string& directory, std::uint64_t from, clock now);

  /// Everything below `position` is durable, as a checkpoint says: what is bad there is damage.
  /// Later records prove it too; this also covers the last ones of a journal that nobody writes any
  /// more.
  void prove(std::uint64_t position) noexcept { proven_ = std::max(proven_, position); }

  followed next();
  /// Where the next record is expected: to open() there later goes on without a gap.
  std::uint64_t position() const noexcept { return at_; }

 private:
  journal_follower(std::string directory, clock now)
      : directory_(std::move(directory)), now_(std::move(now)) {}
  void enter(const segment_info& in, std::uint64_t from);
  void seek(std::uint64_t from);
  std::uint64_t limit() const noexcept;
  bool header_there() const;
  std::optional<followed> take_record();
  std::optional<followed> look_around();
  std::optional<followed> leave(const segment_list& all, const segment_info& next);
  std::optional<followed> skip_to(std::uint64_t to);
  std::optional<followed> look_behind();
  followed span(followed::kind what, std::uint64_t to);

  std::string directory_;
  clock now_;
  segment_info in_;
  // Behind a pointer: the walker names it, and a follower may be moved.
  std::unique_ptr<read_file> file_;
  std::optional<record_walker> walker_;
  std::uint64_t at_ = 0;
  std::uint64_t proven_ = 0;
  std::uint64_t end_ = 0;              // where the records of this segment end; 0 = not known yet
  std::uint64_t look_at_ns_ = 0;       // no look at the directory before that
  std::uint64_t behind_at_ns_ = 0;     // no look behind a bad place before that
  std::uint64_t behind_pause_ns_ = 0;  // while it is the same place
  std::uint64_t looked_behind_ = 0;    // that place
};

}  // namespace holdfast
