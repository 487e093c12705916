#include "devices/config/nearest.hpp"

#include <algorithm>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t word_bytes_max = 64;  // longer words are nobody's typing mistake

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Edits (insert, remove, replace, swap neighbours) that make `a` of `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > word_bytes_max) return {};
  std::size_t best = word.size() <= 3 ? 2 : 3;  // the first distance that is too far
  std::string_view found;
  for (std::string_view candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits >= best || edits >= candidate.size()) continue;
    best = edits;
    found = candidate;
  }
  if (!found.empty() || word.size() < 3) return found;
  for (std::string_view candidate : candidates)
    if (candidate.starts_with(word)) return candidate;
  return {};
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (const std::string_view meant = nearest(word, candidates); !meant.empty())
    return "; did you mean '" + std::string(meant) + "'?";
  std::string all = "; one of:";
  for (std::string_view candidate : candidates)
    all.append(candidate == candidates.front() ? " " : ", ").append(candidate);
  return all;
}

}  // namespace holdfast
