// finished_set against a plain set of numbers, over stretches that fill up, with holes and runs.
#include "journal/finished_set.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/random.hpp"

namespace holdfast::testing {
namespace {

std::uint64_t find_in(const std::set<std::uint64_t>& of, bool in, std::uint64_t from,
                      std::uint64_t to) {
  while (from < to && (of.count(from) != 0) != in) ++from;
  return from;
}

TEST_CASE("a finished set answers like a set of numbers") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    random_source random(seed);
    const std::uint64_t reach = seed % 3 == 0 ? 200 : 100'000;
    finished_set one;
    std::set<std::uint64_t> other;
    for (int i = 0; i < 120; ++i) {
      const std::uint64_t from = random.below(reach);
      const std::uint64_t to = from + random.below(random.chance(10) ? 50'000 : 90);
      const bool take = random.chance(15);
      CAPTURE(from);
      CAPTURE(to);
      if (take) one.clear(from, to);
      if (!take) one.set(from, to);
      for (std::uint64_t n = from; n < to; ++n) {
        if (take) other.erase(n);
        if (!take) other.insert(n);
      }
      const std::uint64_t a = random.below(reach);
      const std::uint64_t b = a + random.below(70'000);
      REQUIRE(one.count(a, b) == static_cast<std::uint64_t>(
                                     std::distance(other.lower_bound(a), other.lower_bound(b))));
      REQUIRE(one.find(true, a, b) == find_in(other, true, a, b));
      REQUIRE(one.find(false, a, b) == find_in(other, false, a, b));
    }
    finished_set twin;
    one.for_each(0, [&twin](std::uint64_t first, std::uint64_t whole, auto words) {
      if (whole != 0) twin.set(first, first + whole);
      twin.add_words(first + whole, words);
      return true;
    });
    CHECK(twin.count(0, 2 * reach + 50'000) == other.size());
    one.drop_below(reach / 2);
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t a = reach / 2 + random.below(reach);
      REQUIRE(one.find(true, a, a + 1000) == find_in(other, true, a, a + 1000));
    }
    one.drop_below(10 * reach + 100'000);
    CHECK(one.empty());
  }
}

}  // namespace
}  // namespace holdfast::testing
