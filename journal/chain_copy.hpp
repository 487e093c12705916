// chain_copy: one try to copy the chain of segments from the newest checkpoint on to the tail, of a
// journal that may be in use, and the position up to which that is consistent.
//
// Contract: blocking, tools only, one thread; waits for a live device to sync what was there when
// all else was copied, no longer than the options say.
#pragma once

#include <string>

#include "journal/backup.hpp"
#include "journal/live_view.hpp"
#include "journal/segment_copies.hpp"

namespace holdfast {

class chain_copy {
 public:
  /// All of them outlive it. `copies` needs what lies below the checkpoint's last segment already.
  chain_copy(const std::string& source, live_view& view, segment_copies& copies,
             const backup_options& options)
      : source_(source), view_(view), copies_(copies), options_(options) {}

  /// False: something that is needed is gone; another try may do.
  result<bool> copy();
  /// Every record below it was copied; batches are not considered.
  std::uint64_t limit() const noexcept { return limit_; }

 private:
  enum class step : std::uint8_t { done, look_again, lost };

  result<bool> no_beginning(const segment_header& lowest) const;
  result<step> copy_sealed(segment_copy& at, std::uint64_t end);
  result<step> copy_last(segment_copy& at);
  result<step> at_tail(segment_copy& at);
  result<step> pass_damage(segment_copy& at, std::uint64_t to);
  result<step> wait_for_sync(const segment_copy& at, std::uint64_t mark);
  std::uint64_t watermark() const;
  void judge_damage();

  const std::string& source_;
  live_view& view_;
  segment_copies& copies_;
  const backup_options& options_;
  std::uint64_t limit_ = 0;
  std::uint64_t goal_ = 0;  // all that was written when the rest was copied lies below
  std::uint64_t waited_from_ = 0;
  bool looked_beyond_ = false;
  bool was_dead_ = false;
  unsigned unlinked_ = 0;
};

}  // namespace holdfast
