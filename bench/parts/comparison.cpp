#include "bench/parts/comparison.hpp"

#include <algorithm>
#include <cstdio>

#include "bench/report/report.hpp"

namespace holdfast::bench {
namespace {

bool is_base(const contestant& one) {
  return one.path == proxy_path;
}

contestants chosen_ones(const comparison& what, const plan& chosen) {
  contestants some;
  std::copy_if(what.all.begin(), what.all.end(), std::back_inserter(some), [&](const auto& one) {
    return is_base(one) ||
           (one.path + " " + one.durability).find(chosen.filter) != std::string::npos;
  });
  return some;
}

row words_of(const comparison& what, const contestant& one, std::size_t bytes) {
  row made;
  made.part = what.part;
  made.path = one.path;
  made.durability = one.durability;
  made.settings = one.settings;
  made.base = proxy_path;
  made.by = what.by;
  made.bytes = bytes;
  return made;
}

// samples[round][contestant]
std::vector<std::vector<sample>> play(const contestants& all, const work& asked, unsigned rounds) {
  std::vector<std::vector<sample>> samples(rounds);
  for (auto& round : samples)
    for (const contestant& one : all) round.push_back(run_line(one.open, asked));
  return samples;
}

rows rows_of(const comparison& what, const contestants& all, const work& asked, unsigned rounds) {
  const auto samples = play(all, asked, rounds);
  const auto base =
      static_cast<std::size_t>(std::find_if(all.begin(), all.end(), is_base) - all.begin());
  rows made;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<paired_sample> pairs;
    pairs.reserve(samples.size());
    for (const auto& round : samples) pairs.push_back({round[i], round[base]});
    made.push_back(words_of(what, all[i], asked.bytes));
    judge(made.back(), pairs);
  }
  return made;
}

}  // namespace

rows compare(const comparison& what, const plan& chosen, work asked) {
  const contestants all = chosen_ones(what, chosen);
  std::printf("%s\n", table_head(words_of(what, all.front(), 0)).c_str());
  asked.seconds = chosen.seconds;
  asked.messages_max = chosen.messages_max;
  rows made;
  for (const std::size_t bytes : chosen.sizes) {
    asked.bytes = bytes;
    for (const row& one : rows_of(what, all, asked, chosen.rounds)) {
      std::printf("%s\n", table_line(one).c_str());
      std::fflush(stdout);
      made.push_back(one);
    }
  }
  return made;
}

}  // namespace holdfast::bench
