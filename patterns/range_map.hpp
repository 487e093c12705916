// range_map: disjoint runs of sequences, each with a value; neighbours with equal values are one
// run. What a queue knows of messages that are neither fresh nor done.
//
// Contract: V is small and equality-comparable. Costs are per run, never per message. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

#include "base/check.hpp"
#include "base/record.hpp"

namespace holdfast {

template <class V>
class range_map {
 public:
  struct node {
    std::uint64_t end;
    V value;
  };
  using iterator = typename std::map<std::uint64_t, node>::const_iterator;

  iterator begin() const noexcept { return runs_.begin(); }
  iterator end() const noexcept { return runs_.end(); }
  bool empty() const noexcept { return runs_.empty(); }
  std::size_t size() const noexcept { return runs_.size(); }

  /// Adds [first, end); nothing of it may be there yet.
  void insert(std::uint64_t first, std::uint64_t end, const V& value) {
    check(first < end, "a run of sequences is not empty");
    auto after = runs_.lower_bound(first);
    check(after == runs_.end() || after->first >= end, "runs of sequences are disjoint");
    if (after != runs_.end() && after->first == end && after->second.value == value) {
      end = after->second.end;
      after = runs_.erase(after);
    }
    if (after != runs_.begin()) {
      auto before = std::prev(after);
      check(before->second.end <= first, "runs of sequences are disjoint");
      if (before->second.end == first && before->second.value == value) {
        before->second.end = end;
        return;
      }
    }
    runs_.emplace_hint(after, first, node{end, value});
  }

  /// Takes out the parts of [first, end) whose value `wanted` agrees to; `taken(first, end, value)`
  /// for each, in order. Neither may touch this map.
  template <class Wanted, class Taken>
  void carve(std::uint64_t first, std::uint64_t end, Wanted&& wanted, Taken&& taken) {
    auto at = covering(first);
    while (at != runs_.end() && at->first < end) {
      if (!wanted(at->second.value)) {
        ++at;
        continue;
      }
      const std::uint64_t run_first = at->first;
      const node run = at->second;
      const std::uint64_t from = std::max(first, run_first), to = std::min(end, run.end);
      if (run_first < from) {
        at->second.end = from;
        ++at;
        if (to < run.end) at = runs_.emplace_hint(at, to, node{run.end, run.value});
      } else if (to < run.end) {
        auto moved = runs_.extract(at++);
        moved.key() = to;  // keeps the allocation: acks eat runs from the front
        at = runs_.insert(at, std::move(moved));
      } else {
        at = runs_.erase(at);
      }
      taken(from, to, run.value);
    }
  }

  /// The first run that ends beyond `sequence`: it covers it or follows it.
  iterator at_or_after(std::uint64_t sequence) const noexcept {
    auto at = runs_.upper_bound(sequence);
    if (at != runs_.begin() && std::prev(at)->second.end > sequence) --at;
    return at;
  }

 private:
  auto covering(std::uint64_t first) {
    auto at = runs_.upper_bound(first);
    if (at != runs_.begin() && std::prev(at)->second.end > first) --at;
    return at;
  }

  std::map<std::uint64_t, node> runs_;  // first -> end, value
};

}  // namespace holdfast
