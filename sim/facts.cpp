#include "sim/facts.hpp"

#include <algorithm>

namespace holdfast::sim {

const fate* facts::find(const message_key& key) const {
  const auto at = messages_.find(key);
  return at == messages_.end() ? nullptr : &at->second;
}

std::uint64_t facts::stopped_between(std::uint64_t from, std::uint64_t to) const {
  std::uint64_t sum = 0;
  for (const stop& one : stops_) {
    const std::uint64_t begin = std::max(from, one.from), end = std::min(to, one.until);
    if (begin >= end) continue;
    sum += end - begin;
    from = end;  // a stop that begins in another counts from its end on
  }
  return sum;
}

bool facts::gone(promise at, std::uint64_t since, std::uint64_t lost_at) const {
  switch (at) {
    case promise::disk: return false;
    case promise::interval:
      return since + rules_.interval_ns + stopped_between(since, lost_at) >= lost_at;
    case promise::process:
    case promise::none: break;
  }
  return true;
}

bool facts::gone_since(promise at, std::uint64_t since) const {
  return std::any_of(power_losses_.begin(), power_losses_.end(), [&](std::uint64_t lost_at) {
    return lost_at >= since && gone(at, since, lost_at);
  });
}

bool facts::maybe_lost(const message_key& request) const {
  const fate* f = find(request);
  if (!f) return false;
  return f->rotten || (rules_.below_disk(f->channel) && gone_since(promise::none, f->sent_ns));
}

bool facts::unordered(std::uint32_t producer) const {
  return std::find(unordered_.begin(), unordered_.end(), producer) != unordered_.end();
}

void facts::power_lost(std::uint64_t now) {
  power_losses_.push_back(now);
  for (auto& [key, f] : messages_) {
    if (f.accepted_ns != 0 && gone(f.accepted_at, f.accepted_ns, now)) f.excused = true;
    if (f.confirmed_ns != 0 && gone(f.confirmed_at, f.confirmed_ns, now)) f.confirmed_ns = 0;
  }
}

void facts::rot(const std::vector<message_key>& keys) {
  rotted_ = true;
  for (const message_key& key : keys) {
    fate& f = messages_[request_of(key)];
    f.rotten = f.excused = true;
  }
}

}  // namespace holdfast::sim
