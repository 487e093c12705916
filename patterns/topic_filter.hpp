// topic_filter: which messages a subscription wants: those whose first part begins with one of its
// prefixes, as ZeroMQ matches. Messages are never looked into beyond their first part.
//
// Contract: immutable once made; shared by the pattern that made it and the loop that walks blocks.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.hpp"

namespace holdfast {

class topic_filter {
 public:
  /// Prefixes that others contain are left out. The empty prefix matches everything.
  explicit topic_filter(std::vector<std::string> prefixes) : prefixes_(std::move(prefixes)) {
    std::sort(prefixes_.begin(), prefixes_.end());
    prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end(),
                                [](const std::string& kept, const std::string& next) {
                                  return next.starts_with(kept);
                                }),
                    prefixes_.end());
  }

  bool matches(bytes_view first_part) const noexcept {
    const std::string_view text(reinterpret_cast<const char*>(first_part.data()),
                                first_part.size());
    // No prefix contains another, so only the greatest one at or below the text can match.
    const auto after = std::upper_bound(prefixes_.begin(), prefixes_.end(), text);
    return after != prefixes_.begin() && text.starts_with(*std::prev(after));
  }
  bool everything() const noexcept { return prefixes_.size() == 1 && prefixes_[0].empty(); }
  const std::vector<std::string>& prefixes() const noexcept { return prefixes_; }

 private:
  std::vector<std::string> prefixes_;
};

}  // namespace holdfast
