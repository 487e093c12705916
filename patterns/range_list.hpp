// range_list: a vector of ranges, added to in any order, then sorted and merged.
#pragma once

#include <algorithm>
#include <vector>

#include "base/record.hpp"

namespace holdfast {

/// Adds `r`, joined to the last range if it continues it.
inline void add_range(std::vector<range>& list, range r) {
  if (!list.empty() && list.back().end() == r.first)
    list.back().count += r.count;
  else
    list.push_back(r);
}

/// Sorts by first and joins what touches or overlaps.
inline void sort_and_merge(std::vector<range>& list) {
  const auto by_first = [](const range& a, const range& b) { return a.first < b.first; };
  if (!std::is_sorted(list.begin(), list.end(), by_first))
    std::sort(list.begin(), list.end(), by_first);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (list[i].first <= list[kept].end())
      list[kept].count = std::max(list[kept].end(), list[i].end()) - list[kept].first;
    else
      list[++kept] = list[i];
  }
  if (!list.empty()) list.resize(kept + 1);
}

}  // namespace holdfast
