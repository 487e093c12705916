// The product's own code under virtual time, network and disk: many seeds, those that failed once,
// replays compared step by step, and a failing run made smaller.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sim/shrink.hpp"

using namespace holdfast;

namespace {

constexpr std::uint64_t quick_seeds = 500;

void require_clean(std::uint64_t seed, sim::outcome& total) {
  const sim::outcome o = sim::simulate(sim::draw_plan(seed));
  INFO("again: ./dev sim ", seed);
  INFO("seed ", seed, ": ", o.by, ": ", o.why);
  CHECK(o.ok);
  total.steps += o.steps;
  total.faults += o.faults;
  total.crashes += o.crashes;
  total.cuts += o.cuts;
  total.counts += o.counts;
}

std::vector<std::uint64_t> kept_seeds() {
  std::vector<std::uint64_t> seeds;
  std::ifstream file(HOLDFAST_SEEDS_FILE);
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  return seeds;
}

}  // namespace

TEST_CASE("seeds that failed once") {
  sim::outcome total;
  for (const std::uint64_t seed : kept_seeds()) require_clean(seed, total);
}

TEST_CASE("five hundred seeds") {
  sim::outcome total;
  for (std::uint64_t seed = 1; seed <= quick_seeds; ++seed)
    require_clean(seed % 2 ? seed : sim::told_seeds + seed, total);
  MESSAGE(quick_seeds, " seeds: ", total.steps, " events, ", total.faults, " faults, ",
          total.counts.sent, " sent, ", total.counts.accepted, " accepted, ",
          total.counts.delivered, " delivered (", total.counts.again, " again), ",
          total.counts.answered, " answered, ", total.crashes, " device crashes, ", total.cuts,
          " cuts");
  // A simulator in which nothing goes wrong proves nothing.
  CHECK(total.faults > quick_seeds * 50);
  CHECK(total.counts.accepted > quick_seeds * 100);
  CHECK(total.counts.answered > quick_seeds * 20);
  CHECK(total.counts.again > quick_seeds * 10);
  CHECK(total.crashes > quick_seeds * 3);
  CHECK(total.cuts > quick_seeds);
}

TEST_CASE("a seed's replay is the same, step by step") {
  std::uint64_t former = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const sim::outcome first = sim::simulate(sim::draw_plan(seed), true);
    const sim::outcome second = sim::simulate(sim::draw_plan(seed), true);
    CHECK(first.trace.size() == first.steps);
    CHECK(first.trace == second.trace);
    CHECK(first.hash != former);
    former = first.hash;
  }
}

TEST_CASE("a failing run is made smaller while the same checker sees it") {
  sim::plan p;
  sim::outcome o;
  o.ok = true;
  for (std::uint64_t seed = 1; o.ok && seed <= 50; ++seed) {
    p = sim::draw_plan(seed);
    p.device.disk.sync_lies = true;  // a disk that says it is synced, and is not
    p.faults.push_back({3 * second_ns, sim::fault::device_power, 1});
    o = sim::simulate(p);
  }
  REQUIRE_FALSE(o.ok);
  const sim::shrunk small = sim::shrink(p, o.by, [](const std::string&) {});
  CHECK(small.shows.by == o.by);
  CHECK(small.smallest.faults.size() < p.faults.size());
  CHECK_FALSE(small.shows.story.empty());
  CHECK(sim::describe(small.smallest).size() < sim::describe(p).size());
}
