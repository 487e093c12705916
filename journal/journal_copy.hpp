// journal_copy: one copy of a journal that may be in use: which checkpoint and which segments it
// takes, up to which position, and when to start over. backup and restore are made of it.
//
// Contract: as backup.hpp. Calls in order: begin, gather until it says done, then write_out, and
// put_in_place. Whatever was begun and not put in place is removed by the destructor.
#pragma once

#include <map>
#include <memory>

#include "journal/backup.hpp"
#include "journal/live_view.hpp"

namespace holdfast {

class journal_copy {
 public:
  journal_copy(std::string source, std::string target, const backup_options& options);
  ~journal_copy();
  journal_copy(const journal_copy&) = delete;
  journal_copy& operator=(const journal_copy&) = delete;

  /// Makes TARGET.unfinished; refuses a target that is in use or not empty.
  status begin();
  /// One try. False: something that is needed is gone; try again.
  result<bool> gather();
  /// Cuts at the position, writes segments and checkpoint under the names of a journal.
  status write_out();
  status write_note();
  status put_in_place();

  const backup_outcome& outcome() const noexcept { return outcome_; }

 private:
  enum class tail : std::uint8_t { done, look_again, lost };

  status clear_unfinished();
  status remove_unfinished();
  segment_copy& copy_of(const segment_header& header);
  void forget(std::uint64_t base);
  result<bool> copy_old();
  result<bool> copy_chain();
  result<bool> no_beginning(const segment_header& lowest) const;
  bool used_again(std::uint64_t chain_from) const;
  result<tail> go_on(segment_copy& at);
  std::uint64_t watermark() const;
  result<tail> at_tail(segment_copy& at);
  result<tail> wait_for_sync(const segment_copy& at, std::uint64_t mark);
  void judge_damage();
  status cut_at_limit();
  void drop_what_is_not_needed();
  status write_segment(segment_copy& from, bool last);
  status write_checkpoint();

  std::string source_;
  live_view view_;
  std::string target_;
  std::string work_;   // TARGET.unfinished
  std::string whole_;  // in it: becomes the target in one step, when all of it is durable
  backup_options options_;
  backup_outcome outcome_;
  tool_file lock_;
  bool begun_ = false;
  std::map<std::uint64_t, std::unique_ptr<segment_copy>> copies_;  // by base
  std::vector<std::uint64_t> needed_;                              // bases, rising
  std::uint64_t limit_ = 0;  // the position, before batches are considered
  std::uint64_t goal_ = 0;   // all that was written when the rest was copied lies below
  std::uint64_t waited_from_ = 0;
  bool looked_beyond_ = false;
  bool was_dead_ = false;
  unsigned unlinked_ = 0;
};

}  // namespace holdfast
