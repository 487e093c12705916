#include "patterns/queue/backlog.hpp"

#include <algorithm>
#include <utility>

#include "base/planted.hpp"

namespace holdfast {

void backlog::start(std::uint64_t handout, instant at) {
  visible_ = next_sequence_;
  handout_ = handout;
  maybe_below_ = std::min(handout, next_sequence_);
  next_out_ = done.floor();
  const range_map<later> asleep = std::exchange(delayed, {});
  for (const auto& [first, run] : asleep) {
    // A calendar that went back meanwhile makes nobody wait longer than was asked for.
    const std::uint64_t due_real = run.value.due_ns;
    std::uint64_t from = std::max(at.real_ns, run.value.asked_ns);
    if (planted(bug::calendar_trusted)) from = at.real_ns;
    const std::uint64_t wait = due_real > from ? due_real - from : 0;
    delay(first, run.end, {run.value.failed, at.now_ns + wait});
  }
}

pick backlog::next(bool fresh_too) {
  if (const auto at = ready_again.begin(); at != ready_again.end())
    return {at->first, at->second.end, false, at->second.value};
  if (!fresh_too) return {};
  pick p = fresh_from(next_out_, std::min(visible_, handout_));
  if (p.empty()) return {};
  if (p.first < maybe_below_) {
    p.end = std::min(p.end, maybe_below_);
    p.state.redelivered = 1;
  }
  return p;
}

/// The first run in [first, limit) that is neither done nor in a map. In a queue that never
/// restarted nothing above next_out is, and this is a few look-ups that find nothing.
pick backlog::fresh_from(std::uint64_t first, std::uint64_t limit) const {
  while (first < limit) {
    first = done.next_open(first);
    if (first >= limit) return {};
    std::uint64_t end = limit, skip = first;
    const auto look = [&](const auto& runs) {
      const auto at = runs.at_or_after(first);
      if (at == runs.end()) return;
      if (at->first <= first)
        skip = at->second.end;
      else
        end = std::min(end, at->first);
    };
    look(ready_again);
    look(delayed);
    look(held_);
    if (skip == first) return {first, done.next_done(first, end), true, {}};
    first = skip;
  }
  return {};
}

void backlog::take(const pick& p, std::uint64_t end) {
  if (p.fresh)
    next_out_ = end;
  else
    ready_again.carve(
        p.first, end, [](const again&) { return true; },
        [](std::uint64_t, std::uint64_t, const again&) {});
}

bool backlog::untake(std::uint64_t first, std::uint64_t end) noexcept {
  if (end != next_out_) return false;
  next_out_ = first;
  return true;
}

std::uint64_t backlog::offer() const noexcept {
  const std::uint64_t limit = std::min(visible_, handout_);
  std::uint64_t sum = limit > next_out_ ? limit - next_out_ : 0;
  std::size_t looked = 0;  // a share needs no exact figure
  for (auto at = ready_again.begin(); at != ready_again.end() && looked < 64; ++at, ++looked)
    sum += at->second.end - at->first;
  return sum;
}

void backlog::delay(std::uint64_t first, std::uint64_t end, later value) {
  delayed.insert(first, end, value);
  due_.push({value.due_ns, first, end});
}

std::uint64_t backlog::wake(std::uint64_t now_ns) {
  std::uint64_t woken = 0;
  while (!due_.empty() && due_.top().at <= now_ns) {
    const due top = due_.top();
    due_.pop();
    delayed.carve(
        top.first, top.end, [&](const later& l) { return l.due_ns <= now_ns; },
        [&](std::uint64_t first, std::uint64_t end, const later& l) {
          ready_again.insert(first, end, {l.failed, 2});
          woken += end - first;
        });
  }
  return woken;
}

}  // namespace holdfast
