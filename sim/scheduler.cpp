#include "sim/scheduler.hpp"

#include <algorithm>
#include <tuple>

namespace holdfast::sim {

bool scheduler::later(const event& a, const event& b) noexcept {
  return std::tie(a.when, a.salt, a.ordinal) > std::tie(b.when, b.salt, b.ordinal);
}

std::uint64_t scheduler::real_at(std::uint64_t when) const noexcept {
  auto at = shifts_.rbegin();
  while (at->first > when) ++at;
  return when + static_cast<std::uint64_t>(at->second);
}

std::uint64_t scheduler::real_max() const noexcept {
  std::uint64_t latest = real_at(now_), until = now_;
  for (auto at = shifts_.rbegin(); at != shifts_.rend(); ++at) {
    latest = std::max(latest, until + static_cast<std::uint64_t>(at->second));
    until = at->first;
  }
  return latest;
}

void scheduler::at(std::uint64_t when, action what) {
  heap_.push_back({std::max(when, now_), salt_.next(), ordinal_++, std::move(what)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool scheduler::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  event next = std::move(heap_.back());
  heap_.pop_back();
  now_ = next.when;
  ++steps_;
  next.what();
  return true;
}

}  // namespace holdfast::sim
