#include "journal/retention.hpp"

#include <algorithm>

#include "base/planted.hpp"

namespace holdfast {

void retention::sweep() {
  if (!core_.sweep_wanted) return;
  core_.sweep_wanted = false;
  waiting_ = 0;
  std::vector<std::uint64_t> gone;
  for (const auto& s : core_.segments.all()) {
    if (s.get() == core_.active) continue;
    const bool dead = s->live_rows == 0 && s->rows_known && !s->header_asked &&
                      s->freed_at <= core_.synced_position;
    const std::uint64_t end = s->in_log ? s->end : s->limit();
    if (!dead) continue;
    // Checkpoints of before a move list the old places.
    if (planted(bug::frees_too_early)) core_.older_checkpoint = core_.next_position;
    if (end > core_.older_checkpoint || (s->drained && s->freed_at > core_.older_checkpoint)) {
      ++waiting_;
      continue;
    }
    gone.push_back(s->base());
    if (s->file == 0 || spares_.recycle(*s)) continue;
    core_.files->close_file(s->file);
    core_.remove_segment_file(s->header.slot, s->header.size);
  }
  for (const std::uint64_t base : gone) {
    windows_.forget(base);
    core_.segments.remove(base);
  }
}

}  // namespace holdfast
