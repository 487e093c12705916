// journal_copy: one copy of a journal that may be in use: which checkpoint and which segments it
// takes, up to which position, and when to start over. backup and restore are made of it.
//
// Contract: as backup.hpp. Calls in order: begin, gather until it says done, then write_out, and
// put_in_place. Whatever was begun and not put in place goes with the object.
#pragma once

#include <string>

#include "journal/backup.hpp"
#include "journal/copy_target.hpp"
#include "journal/live_view.hpp"
#include "journal/segment_copies.hpp"

namespace holdfast {

class journal_copy {
 public:
  journal_copy(std::string source, const std::string& target, const backup_options& options);

  status begin() { return target_.begin(); }
  /// One try. False: something that is needed is gone; try again.
  result<bool> gather();
  /// Cuts at the position, writes segments and checkpoint under the names of a journal.
  status write_out();
  status write_note();
  status put_in_place() { return target_.put_in_place(); }

  const backup_outcome& outcome() const noexcept { return outcome_; }

 private:
  status copy_old();
  status cut_at_limit();
  status write_segment(segment_copy& from, bool last);
  status write_checkpoint();

  std::string source_;
  live_view view_;
  copy_target target_;
  backup_options options_;
  backup_outcome outcome_;
  segment_copies copies_;
  std::uint64_t limit_ = 0;  // the position, before batches are considered
};

}  // namespace holdfast
