// What a work queue keeps no longer: its limits, reckoned over everything that is open.
#include <algorithm>

#include "patterns/queue/work_queue.hpp"

namespace holdfast {

std::vector<range> work_queue::beyond_limits(instant at) {
  if (!options_.limits.any()) return {};
  const std::uint64_t due_real = marks_.next_expiry_ns(at.real_ns);
  retention_due_ns_ = due_real == never_ns ? never_ns : at.now_ns + (due_real - at.real_ns);
  return waiting_below(keep_from(at));
}

/// The limits leave what lies below to nobody: the oldest open messages, held ones counted, beyond
/// the number that may be, and what the marks say.
std::uint64_t work_queue::keep_from(instant at) const {
  std::uint64_t from = marks_.keep_from(at.real_ns);
  const std::uint64_t open = counts_.ready + counts_.delayed + counts_.in_flight + counts_.in_doubt;
  if (options_.limits.records == 0 || open <= options_.limits.records) return from;
  std::uint64_t beyond = open - options_.limits.records;
  for (std::uint64_t sequence = floor(); beyond > 0;) {
    const std::uint64_t first = backlog_.done.next_open(sequence);
    sequence = backlog_.done.next_done(first, first + std::min(beyond, next_sequence() - first));
    beyond -= sequence - first;
    from = std::max(from, sequence);
  }
  return from;
}

std::vector<range> work_queue::waiting_below(std::uint64_t limit) {
  std::vector<range> found;
  const auto add = [&](std::uint64_t first, std::uint64_t end) {
    if (first < end) found.push_back({first, end - first});
  };
  const auto add_runs = [&](const auto& runs) {
    for (auto run = runs.begin(); run != runs.end() && run->first < limit; ++run)
      add(run->first, std::min(run->second.end, limit));
  };
  add_runs(backlog_.ready_again);
  add_runs(backlog_.delayed);
  backlog_.for_each_fresh(floor(), limit, add);
  std::sort(found.begin(), found.end(),
            [](const range& a, const range& b) { return a.first < b.first; });
  return found;
}

/// The limits are newer than these messages: a checkpoint without marks knows them.
void work_queue::adopt_unmarked(instant at) {
  const std::uint64_t open = counts_.ready + counts_.delayed, known = marks_.open();
  const std::uint64_t end = std::min(marks_.first(), next_sequence());
  if (open <= known || end <= floor()) return;
  marks_.adopt(floor(), end, open - known, row_real_ns_ != 0 ? row_real_ns_ : at.real_ns);
}

}  // namespace holdfast
