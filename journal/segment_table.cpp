#include "journal/segment_table.hpp"

#include <algorithm>
#include <cstdio>

#include "base/check.hpp"

namespace holdfast {
void segment::mark_first(std::uint64_t position) {
  const std::uint64_t offset = position - base();
  marks.resize(offset / mark_unit);
  marks.back() = static_cast<std::uint32_t>(offset / record_unit);
}

std::string segment_name(std::uint32_t slot) {
  char name[32];
  std::snprintf(name, sizeof name, "seg/%06u.seg", slot);
  return name;
}

std::int64_t segment_slot(const std::string& name) {
  unsigned slot = 0;
  if (std::sscanf(name.c_str(), "seg/%u.seg", &slot) != 1 || segment_name(slot) != name) return -1;
  return slot;
}

segment& segment_table::add(segment made) {
  raise_next_base(made.limit());
  auto at = std::upper_bound(all_.begin(), all_.end(), made.base(),
                             [](std::uint64_t b, const auto& s) { return b < s->base(); });
  return **all_.insert(at, std::make_unique<segment>(std::move(made)));
}

segment* segment_table::find(std::uint64_t position) noexcept {
  auto at = std::upper_bound(all_.begin(), all_.end(), position,
                             [](std::uint64_t p, const auto& s) { return p < s->base(); });
  if (at == all_.begin()) return nullptr;
  --at;
  return (*at)->contains(position) ? at->get() : nullptr;
}

const segment* segment_table::find(std::uint64_t position) const noexcept {
  return const_cast<segment_table*>(this)->find(position);
}

void segment_table::remove(std::uint64_t base) {
  const std::size_t gone = std::erase_if(all_, [base](const auto& s) { return s->base() == base; });
  check(gone == 1, "a removed segment was in the table");
}

void segment_table::raise_next_base(std::uint64_t base) noexcept {
  next_base_ = std::max(next_base_, align_up(base, file_unit));
}

}  // namespace holdfast
