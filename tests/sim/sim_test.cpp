// The product's own code under virtual time, network and disk: many seeds, replayed seeds, and bugs
// planted to see that the checker sees them.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sim/world.hpp"

using namespace holdfast;
using sim::planted;

namespace {

constexpr std::uint64_t quick_seeds = 200;

sim::outcome simulated(std::uint64_t seed, planted bug = planted::nothing) {
  return sim::simulate(sim::draw_plan(seed, bug));
}

void require_clean(std::uint64_t seed) {
  const sim::outcome o = simulated(seed);
  INFO("again: ./dev sim ", seed, "\n", o.story);
  INFO("seed ", seed, ": ", o.why);
  CHECK(o.ok);
}

std::vector<std::uint64_t> kept_seeds() {
  std::vector<std::uint64_t> seeds;
  std::ifstream file(HOLDFAST_SEEDS_FILE);
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  return seeds;
}

/// Whether one of `seeds` seeds shows the bug in the words of `verdict`. Says what else was seen.
bool caught(planted bug, std::uint64_t seeds, const std::string& verdict) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const sim::outcome o = simulated(seed, bug);
    if (o.ok) continue;
    CHECK_FALSE(o.story.empty());
    MESSAGE("seed ", seed, ": ", o.why);
    if (o.why.find(verdict) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("seeds that failed once") {
  for (const std::uint64_t seed : kept_seeds()) require_clean(seed);
}

TEST_CASE("two hundred seeds") {
  sim::outcome total;
  for (std::uint64_t seed = 1; seed <= quick_seeds; ++seed) {
    const sim::outcome o = simulated(seed);
    INFO("again: ./dev sim ", seed, "\n", o.story);
    INFO("seed ", seed, ": ", o.why);
    REQUIRE(o.ok);
    total.sent += o.sent;
    total.accepted += o.accepted;
    total.delivered += o.delivered;
    total.duplicates += o.duplicates;
    total.crashes += o.crashes;
    total.cuts += o.cuts;
  }
  MESSAGE(quick_seeds, " seeds: ", total.sent, " sent, ", total.accepted, " accepted, ",
          total.delivered, " delivered (", total.duplicates, " again), ", total.crashes,
          " device crashes, ", total.cuts, " cuts");
  // A simulator in which nothing goes wrong proves nothing.
  CHECK(total.accepted > quick_seeds * 50);
  CHECK(total.duplicates > quick_seeds);
  CHECK(total.crashes > quick_seeds);
  CHECK(total.cuts > quick_seeds);
}

TEST_CASE("a seed's replay is the same, bit for bit") {
  std::uint64_t former = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const sim::outcome first = simulated(seed);
    const sim::outcome second = simulated(seed);
    CHECK(first.hash == second.hash);
    CHECK(first.steps == second.steps);
    CHECK(first.hash != former);
    former = first.hash;
  }
}

TEST_CASE("planted: two sessions of one producer interleaved") {
  // Blocks of both runs count as one's: the other finds numbers used that it never gave.
  CHECK(caught(planted::sessions_mixed, 20, "which was never sent from here"));
}

TEST_CASE("planted: an accept never arrives") {
  CHECK(caught(planted::accept_lost, 5, "has messages that are not accepted"));
}

TEST_CASE("planted: an accept leaves before its message is durable") {
  CHECK(caught(planted::accept_early, 40, "accepted and lost"));
}

TEST_CASE("planted: a tail that was never flushed is lost with the power") {
  CHECK(caught(planted::sync_lies, 40, "accepted and lost"));
}
