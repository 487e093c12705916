#include "journal/segment_copies.hpp"

#include <algorithm>

#include "journal/segment_table.hpp"

namespace holdfast {

segment_copy& segment_copies::of(const segment_header& header) {
  auto& place = copies_[header.base];
  if (!place || place->header().epoch != header.epoch)
    place = std::make_unique<segment_copy>(
        source_ + "/" + segment_name(header.slot), header,
        to_ + "/" + std::to_string(header.base) + "." + std::to_string(header.epoch));
  return *place;
}

void segment_copies::forget(std::uint64_t base) {
  const auto at = copies_.find(base);
  if (at == copies_.end()) return;
  (void)remove_file(at->second->path());  // what stays goes with the whole directory
  copies_.erase(at);
}

void segment_copies::need(std::uint64_t base) {
  if (needed_.empty() || needed_.back() != base) needed_.push_back(base);
}

std::uint64_t segment_copies::watermark() const {
  std::uint64_t highest = 0;
  for (const std::uint64_t base : needed_) {
    const segment_copy& copy = at(base);
    highest = std::max(highest, copy.watermark());
    if (copy.header().previous_durable) highest = std::max(highest, copy.header().previous_end);
  }
  return highest;
}

bool segment_copies::used_again(std::uint64_t position) const {
  std::map<std::uint32_t, std::uint64_t> by_slot;
  for (const std::uint64_t base : needed_) {
    const auto [lower, fresh] = by_slot.try_emplace(at(base).header().slot, base);
    if (!fresh && lower->second >= position) return true;
    lower->second = base;
  }
  return false;
}

result<std::uint64_t> segment_copies::cut(std::uint64_t limit) {
  std::uint64_t beyond = 0;
  while (needed_.size() > 1 && needed_.back() + records_at > limit) {
    beyond += at(needed_.back()).end() - (needed_.back() + records_at);
    forget(needed_.back());
    needed_.pop_back();
  }
  segment_copy& last = at(needed_.back());
  const std::uint64_t copied = last.end();
  if (status cut = last.cut_to(limit); !cut) return cut;
  return beyond + copied - last.end();
}

// Each slot once: the lower of two was freed before the file became the higher one.
void segment_copies::drop_what_is_not_needed() {
  std::map<std::uint32_t, std::uint64_t> by_slot;
  for (const std::uint64_t base : needed_) by_slot[at(base).header().slot] = base;
  std::erase_if(needed_,
                [&](std::uint64_t base) { return by_slot.at(at(base).header().slot) != base; });
  std::vector<std::uint64_t> unwanted;
  for (const auto& [base, copy] : copies_)
    if (!std::binary_search(needed_.begin(), needed_.end(), base)) unwanted.push_back(base);
  for (const std::uint64_t base : unwanted) forget(base);
}

}  // namespace holdfast
