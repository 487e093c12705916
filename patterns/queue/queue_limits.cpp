#include "patterns/queue/queue_limits.hpp"

namespace holdfast {
namespace {

bool covers(const address_limits& entry, std::string_view address) noexcept {
  return entry.prefix ? address.starts_with(entry.address) : address == entry.address;
}

bool closer(const address_limits& a, const address_limits& b) noexcept {
  return a.prefix == b.prefix ? a.address.size() > b.address.size() : !a.prefix;
}

}  // namespace

queue_limits retention_rules::of(std::string_view address) const {
  const address_limits* best = nullptr;
  for (const address_limits& entry : some)
    if (covers(entry, address) && (!best || closer(entry, *best))) best = &entry;
  if (!best) return all;
  return {best->age_ns.value_or(all.age_ns), best->bytes.value_or(all.bytes),
          best->records.value_or(all.records)};
}

}  // namespace holdfast
