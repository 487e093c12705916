// Thousands of crash images of small journals, by process and by power, with crashes in recovery,
// with failing writes and syncs; and the same with a disk that lies, which must be caught.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/journal/model.hpp"

namespace holdfast::testing {
namespace {

std::uint64_t seeds(std::uint64_t usual) {
  const char* more = std::getenv("HOLDFAST_SEEDS");
  return more ? std::strtoull(more, nullptr, 10) : usual;
}

// Several lives of one journal; the first thing wrong, or nothing.
std::string lives(std::uint64_t seed, bool lies, bool faults, int rounds) {
  model m(seed, lies, faults);
  std::string wrong = m.open_and_check(crash_mode::process);
  for (int round = 0; round < rounds && wrong.empty(); ++round) {
    m.work(static_cast<int>(20 + m.random.below(150)));
    // After a failed sync Linux keeps the bytes in memory as if they were on the disk: whoever
    // reads them after a crash of the process cannot know. So seeds with failures keep to one mode.
    const bool power = lies || (faults ? seed % 2 == 0 : m.random.chance(50));
    const crash_mode mode = power ? crash_mode::power : crash_mode::process;
    m.crash(mode);
    if (m.random.chance(30)) m.crash_in_recovery(mode);
    wrong = m.open_and_check(mode);
  }
  return wrong;
}

// One seed alone: HOLDFAST_SEED.
std::uint64_t first_seed(std::uint64_t usual) {
  const char* one = std::getenv("HOLDFAST_SEED");
  return one ? std::strtoull(one, nullptr, 10) : usual;
}

TEST_CASE("every crash image holds what was accepted, and nothing that was not submitted") {
  const std::uint64_t count = seeds(250);
  for (std::uint64_t seed = first_seed(1); seed <= count; ++seed) {
    const std::string wrong = lives(seed, false, false, 5);
    REQUIRE_MESSAGE(wrong.empty(), "seed " << seed << ": " << wrong);
  }
}

TEST_CASE("so does every image after failed writes and syncs") {
  const std::uint64_t count = seeds(120);
  for (std::uint64_t seed = first_seed(1); seed <= count; ++seed) {
    const std::string wrong = lives(100'000 + seed, false, true, 4);
    REQUIRE_MESSAGE(wrong.empty(), "seed " << seed << ": " << wrong);
  }
}

TEST_CASE("a disk that only says it synced is found out") {
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    if (!lives(200'000 + seed, true, false, 3).empty()) ++caught;
  CHECK(caught >= 15);
}

}  // namespace
}  // namespace holdfast::testing
