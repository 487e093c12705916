#include "journal/header_copies.hpp"

#include <algorithm>
#include <utility>

#include "journal/ops_in_flight.hpp"

namespace holdfast {

void header_copies::complete(std::uint64_t synced, std::vector<io_op>& ops) {
  while (!half_.empty() && half_.front() < synced) {
    segment* of = core_.segments.find(half_.front());
    half_.pop_front();
    if (of && of->in_log && !of->unsound) ask(*of, ops);
  }
}

// The active segment's next sync is for the copy as well; a sealed one gets a sync of its own.
void header_copies::ask(segment& of, std::vector<io_op>& ops) {
  const bool in_use = &of == core_.active;
  of.header_asked = true;
  ops.push_back(make_write(of.file, segment_header_copy_at, bytes_of(of.header),
                           in_flight_.add({{}, of.base(), in_use, false})));
  if (in_use)
    unsynced_ = true;
  else
    ops.push_back(
        make_op(io_op::kind::sync, of.file, in_flight_.add({{}, of.base(), true, false})));
}

void header_copies::done(std::uint64_t base) {
  segment* of = core_.segments.find(base);
  if (!of || of->unsound) return;
  of->header_asked = false;
  of->second_header = true;
  core_.sweep_wanted = true;
}

void header_copies::restart(const segment& last) {
  for (const auto& s : core_.segments.all())
    if (std::exchange(s->header_asked, false) && s->in_log) half_.push_back(s->base());
  std::erase_if(half_, [&](std::uint64_t base) { return base > last.base(); });
  std::sort(half_.begin(), half_.end());
}

}  // namespace holdfast
