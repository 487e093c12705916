#include "devices/loop/checkpointer.hpp"

#include "base/planted.hpp"
#include "journal/journal.hpp"

namespace holdfast {

bool journal_checkpoints::due() const {
  return to_->checkpoint_due();
}
bool journal_checkpoints::begin() {
  return to_->begin_checkpoint();
}
void journal_checkpoints::add(bytes_view rows) {
  to_->add_checkpoint_rows(rows);
}
void journal_checkpoints::finish() {
  to_->finish_checkpoint();
}
bool journal_checkpoints::running() const {
  return to_->checkpoint_running();
}
std::uint64_t journal_checkpoints::next_position() const {
  return to_->next_position();
}

bool checkpointer::force() {
  if (writing_ || to_->running() || !to_->begin()) return false;
  writing_ = true;
  part_ = 0;
  return true;
}

bool checkpointer::step() {
  if (!writing_ && !(to_->due() && force())) return false;
  rows_.set_as_of(to_->next_position() + (planted(bug::row_as_of_later) ? 4096 : 0));
  while (part_ < parts_ && rows_.size() < slice_bytes_) {
    // Not complete: the budget is spent, or the part cannot be written in this turn.
    if (!write_(part_, rows_, slice_bytes_ - rows_.size())) break;
    ++part_;
  }
  to_->add(rows_.bytes());
  rows_.bytes().clear();
  if (part_ < parts_) return true;
  to_->finish();
  writing_ = false;
  return false;
}

}  // namespace holdfast
