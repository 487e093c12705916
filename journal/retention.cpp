#include "journal/retention.hpp"

#include <algorithm>

namespace holdfast {

void retention::sweep() {
  if (!core_.sweep_wanted) return;
  core_.sweep_wanted = false;
  waiting_ = 0;
  std::vector<std::uint64_t> gone;
  std::vector<io_op> ops;
  for (const auto& s : core_.segments.all()) {
    if (s.get() == core_.active) continue;
    const bool dead = s->live_rows == 0 && !s->header_asked && s->freed_at <= core_.synced_position;
    const std::uint64_t end = s->in_log ? s->end : s->limit();
    if (!dead) continue;
    // Checkpoints of before a move list the old places.
    if (end > core_.older_checkpoint || (s->drained && s->freed_at > core_.older_checkpoint)) {
      ++waiting_;
      continue;
    }
    gone.push_back(s->base());
    if (s->file == 0 || spares_.recycle(*s)) continue;
    core_.disk_used -= std::min(core_.disk_used, s->header.size);
    core_.files->close_file(s->file);
    ops.push_back(make_remove(segment_name(s->header.slot), make_tag(asker::removal, 0)));
  }
  for (const std::uint64_t base : gone) {
    backlog_.forget(base);
    core_.segments.remove(base);
  }
  if (!ops.empty()) core_.files->submit(ops);
}

}  // namespace holdfast
