#include "sim/handlers/virtual_store.hpp"

namespace holdfast::sim {

std::optional<std::string> virtual_store::get(std::string_view key) const {
  if (const auto changed = changes_.find(key); changed != changes_.end()) return changed->second;
  const auto at = shared_.find(key);
  return at == shared_.end() ? std::nullopt : std::optional(at->second);
}

void virtual_store::put(std::string_view key, std::string value) {
  changes_.insert_or_assign(std::string(key), std::move(value));
}

void virtual_store::erase(std::string_view key) {
  changes_.insert_or_assign(std::string(key), std::nullopt);
}

void virtual_store::commit() {
  may_die_();
  for (auto& [key, value] : changes_) {
    if (value)
      shared_.insert_or_assign(key, *std::move(value));
    else
      shared_.erase(key);
  }
  changes_.clear();
  may_die_();
}

}  // namespace holdfast::sim
