// holdfast_sim [SEED] [--minutes N]: simulates seeds and prints the first failure as a story. With
// a seed: that one, twice, compared. Without: fresh seeds from the system's randomness for N
// minutes (default 1).
#include <charconv>
#include <cstdio>
#include <string_view>

#include "sim/world.hpp"

namespace {

using namespace holdfast;

bool tell(std::uint64_t seed, const sim::outcome& o) {
  if (o.ok) return true;
  std::printf("%s\nseed %llu FAILED: %s\n", o.story.c_str(), static_cast<unsigned long long>(seed),
              o.why.c_str());
  std::printf("again: ./dev sim %llu\n", static_cast<unsigned long long>(seed));
  return false;
}

int one(std::uint64_t seed) {
  const sim::outcome first = sim::simulate(sim::draw_plan(seed));
  const sim::outcome second = sim::simulate(sim::draw_plan(seed));
  const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf(
      "seed %llu: %llu sent, %llu accepted, %llu delivered (%llu again), %llu device crashes, "
      "%llu cuts, %llu events in %.1f virtual seconds, hash %016llx\n",
      n(seed), n(first.sent), n(first.accepted), n(first.delivered), n(first.duplicates),
      n(first.crashes), n(first.cuts), n(first.steps), static_cast<double>(first.virtual_ns) / 1e9,
      n(first.hash));
  if (first.hash != second.hash) {
    std::printf("the replay differs: hash %016llx\n", n(second.hash));
    return 1;
  }
  return tell(seed, first) ? 0 : 1;
}

int many(std::uint64_t minutes) {
  const std::uint64_t end = monotonic_now() + minutes * 60 * second_ns;
  random_source seeds(system_seed());
  std::uint64_t count = 0, virtual_ns = 0;
  while (monotonic_now() < end) {
    const std::uint64_t seed = seeds.next() >> 24;
    const sim::outcome o = sim::simulate(sim::draw_plan(seed));
    ++count;
    virtual_ns += o.virtual_ns;
    if (!tell(seed, o)) return 1;
  }
  std::printf("%llu seeds, %.0f virtual minutes: no violation\n",
              static_cast<unsigned long long>(count), static_cast<double>(virtual_ns) / 60e9);
  return 0;
}

bool number(std::string_view text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t seed = 0, minutes = 1;
  bool given = false, good = true;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) == "--minutes")
      good = ++i < count && number(arguments[i], minutes) && good;
    else
      good = given = number(arguments[i], seed) && good;
  }
  if (!good) {
    std::fprintf(stderr, "usage: holdfast_sim [SEED] [--minutes N]\n");
    return 2;
  }
  return given ? one(seed) : many(minutes);
}
