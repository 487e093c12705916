#include "sim/shrink.hpp"

#include <algorithm>
#include <cstdio>

namespace holdfast::sim {
namespace {

/// Somebody receives what is sent: without, every run would fail, and tell nothing.
bool served(const plan& p) {
  const auto has_taker = [&](const producer_plan& one) {
    return one.channel != channel_kind::pipeline ||
           (one.address.empty() && !p.plain_consumers.empty()) ||
           std::any_of(p.workers.begin(), p.workers.end(),
                       [&](const worker_plan& w) { return w.address == one.address; });
  };
  return std::all_of(p.producers.begin(), p.producers.end(), has_taker) &&
         (p.requesters.empty() || !p.repliers.empty());
}

class shrinker {
 public:
  shrinker(plan from, std::string checker) : checker_(std::move(checker)) {
    best_.smallest = std::move(from);
  }

  shrunk run(const std::function<void(const std::string&)>& told) {
    bool smaller = true;
    while (smaller) {
      smaller = fewer_faults();
      smaller = fewer_of(&plan::producers) || smaller;
      smaller = fewer_of(&plan::requesters) || smaller;
      smaller = fewer_of(&plan::subscribers) || smaller;
      smaller = fewer_of(&plan::workers) || smaller;
      smaller = fewer_of(&plan::repliers) || smaller;
      smaller = fewer_of(&plan::plain_consumers) || smaller;
      smaller = fewer_messages() || smaller;
      told(std::to_string(best_.smallest.faults.size()) + " faults after " +
           std::to_string(best_.runs) + " runs");
    }
    if (best_.shows.ok) best_.shows = simulate(best_.smallest);
    best_.shows = simulate(best_.smallest);
    return std::move(best_);
  }

 private:
  bool still_fails(const plan& candidate) {
    ++best_.runs;
    const outcome o = simulate(candidate);
    return !o.ok && o.by == checker_;
  }
  bool keep_if_it_fails(plan candidate) {
    if (!served(candidate) || !still_fails(candidate)) return false;
    best_.smallest = std::move(candidate);
    return true;
  }

  /// Leaves out runs of faults, long ones first.
  bool fewer_faults() {
    bool smaller = false;
    for (std::size_t size = std::max<std::size_t>(best_.smallest.faults.size() / 2, 1);;
         size /= 2) {
      for (std::size_t at = 0; at < best_.smallest.faults.size();) {
        plan candidate = best_.smallest;
        auto& faults = candidate.faults;
        const auto first = faults.begin() + static_cast<std::ptrdiff_t>(at);
        faults.erase(first,
                     first + static_cast<std::ptrdiff_t>(std::min(size, faults.size() - at)));
        if (keep_if_it_fails(std::move(candidate)))
          smaller = true;
        else
          at += size;
      }
      if (size <= 1) return smaller;
    }
  }

  template <class T>
  bool fewer_of(std::vector<T> plan::*who) {
    bool smaller = false;
    for (std::size_t at = 0; at < (best_.smallest.*who).size();) {
      plan candidate = best_.smallest;
      auto& all = candidate.*who;
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
      if (keep_if_it_fails(std::move(candidate)))
        smaller = true;
      else
        ++at;
    }
    return smaller;
  }

  bool fewer_messages() {
    plan candidate = best_.smallest;
    bool less = false;
    for (producer_plan& one : candidate.producers) less = halve(one.messages) || less;
    for (requester_plan& one : candidate.requesters) less = halve(one.requests) || less;
    return less && keep_if_it_fails(std::move(candidate));
  }
  static bool halve(std::uint64_t& count) {
    if (count < 2) return false;
    count /= 2;
    return true;
  }

  std::string checker_;
  shrunk best_;
};

std::string seconds(std::uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%10.6f  ", static_cast<double>(ns) / 1e9);
  return text;
}

}  // namespace

shrunk shrink(const plan& failing, const std::string& checker,
              const std::function<void(const std::string&)>& told) {
  return shrinker(failing, checker).run(told);
}

std::string describe_faults(const plan& p) {
  std::string text;
  for (const planned_fault& one : p.faults) text += seconds(one.at_ns) + name(one.what) + "\n";
  return text;
}

std::string describe(const plan& p) {
  static constexpr const char* kinds[] = {"unnamed", "fresh", "replayer", "plain"};
  static constexpr const char* levels[] = {"none", "process", "interval", "disk"};
  std::string text = "levels: pipeline " +
                     std::string(levels[static_cast<std::size_t>(p.rules.level[0])]) + ", pubsub " +
                     levels[static_cast<std::size_t>(p.rules.level[1])] + ", reqrep " +
                     levels[static_cast<std::size_t>(p.rules.level[2])] + "\n";
  for (const producer_plan& one : p.producers)
    text += (one.channel == channel_kind::pubsub ? "publisher " : "producer ") +
            std::to_string(one.number) + ": " + kinds[static_cast<std::size_t>(one.kind)] + ", " +
            std::to_string(one.messages) + " messages\n";
  for (const requester_plan& one : p.requesters)
    text += "requester " + std::to_string(one.number) + (one.named ? ": named, " : ": ") +
            std::to_string(one.requests) + " requests\n";
  for (const worker_plan& one : p.workers) text += "worker " + std::to_string(one.number) + "\n";
  for (const std::uint32_t one : p.plain_consumers)
    text += "plain consumer " + std::to_string(one) + "\n";
  for (const subscriber_plan& one : p.subscribers)
    text += "subscriber " + std::to_string(one.number) + (one.durable ? ": durable\n" : "\n");
  for (const replier_plan& one : p.repliers) text += "replier " + std::to_string(one.number) + "\n";
  return text + describe_faults(p);
}

}  // namespace holdfast::sim
