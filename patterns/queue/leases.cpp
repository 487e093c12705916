#include "patterns/queue/leases.hpp"

#include <algorithm>

namespace holdfast {

void leases::grant(std::uint64_t first, std::uint64_t end, const hold& h) {
  held_.insert(first, end, h);
  if (h.until_ns == never_ns) return;
  deadlines_.push_back({h.until_ns, first, end});
  std::push_heap(deadlines_.begin(), deadlines_.end(), later);
  if (deadlines_.size() > 2 * held_.size() + 1024) compact();
}

leases::deadline leases::pop() {
  std::pop_heap(deadlines_.begin(), deadlines_.end(), later);
  const deadline top = deadlines_.back();
  deadlines_.pop_back();
  return top;
}

bool leases::means_something(const deadline& d) const {
  for (auto at = held_.at_or_after(d.first); at != held_.end() && at->first < d.end; ++at)
    if (at->second.value.until_ns <= d.at) return true;
  return false;
}

std::uint64_t leases::next_deadline() {
  while (!deadlines_.empty() && !means_something(deadlines_.front())) pop();
  return deadlines_.empty() ? never_ns : deadlines_.front().at;
}

void leases::compact() {
  deadlines_.clear();
  for (const auto& [first, run] : held_)
    if (run.value.until_ns != never_ns) deadlines_.push_back({run.value.until_ns, first, run.end});
  std::make_heap(deadlines_.begin(), deadlines_.end(), later);
}

}  // namespace holdfast
