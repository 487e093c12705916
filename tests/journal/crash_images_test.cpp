// Every image that a crash can leave, at every completed operation of random workloads, opened and
// compared; and the same with a disk that leaves out one kind of sync, which must be caught.
//
// HOLDFAST_SEEDS: how many workloads of each kind; HOLDFAST_SEED: the first; HOLDFAST_LONG: ten
// times as many.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/journal/image_explorer.hpp"

namespace holdfast::testing {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t usual) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : usual;
}

std::uint64_t seeds(std::uint64_t usual) {
  return from_environment("HOLDFAST_SEEDS", std::getenv("HOLDFAST_LONG") ? 10 * usual : usual);
}

// Syncs that the disk reports and does not make.
struct omission {
  virtual_disk::chooser always;
  virtual_disk::chooser opening;  // while an image is opened
};

struct figures {
  std::uint64_t images = 0, nested = 0, moments = 0, rolls = 0, checkpoints = 0, oversize = 0,
                full = 0, recycled = 0;
};

// Three lives of one journal, each a stretch without looking, so that there is something on the
// disk and space is short, and then one with every image.
std::string explore(const workload_plan& plan, figures& sum, const omission& left_out = {}) {
  workload w(plan);
  image_explorer images(plan.seed, !plan.faults);
  if (left_out.always) w.r.disk.leave_out_syncs(left_out.always);
  if (left_out.opening) images.leave_out_syncs(left_out.opening);
  const auto look = [&](workload& at) { images.look(at); };
  crash_mode mode = crash_mode::power;
  std::string wrong = w.open(mode);
  for (int life = 0; life < 3 && wrong.empty() && images.wrong().empty(); ++life) {
    w.run(static_cast<int>(w.random.below(plan.small_disk ? 900 : 300)));
    w.run(90, look);
    if (life == 2) w.drain(look);
    mode = !plan.faults && w.random.chance(40) ? crash_mode::process : crash_mode::power;
    if (!images.wrong().empty()) break;
    w.r.disk.crash(mode);
    wrong = w.open(mode);
  }
  sum.images += images.images();
  sum.nested += images.nested();
  sum.moments += images.moments();
  sum.rolls += w.rolls;
  sum.checkpoints += w.checkpoints;
  sum.oversize += w.oversize;
  sum.full += w.full;
  sum.recycled += w.recycled;
  return images.wrong().empty() ? wrong : images.wrong();
}

void explore_all(workload_plan plan, std::uint64_t count, std::uint64_t images_min) {
  figures sum;
  const std::uint64_t first = from_environment("HOLDFAST_SEED", 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    plan.seed = seed;
    const std::string wrong = explore(plan, sum);
    REQUIRE_MESSAGE(wrong.empty(), "seed " << seed << ": " << wrong);
  }
  std::printf(
      "%lu images (%lu in recovery) at %lu moments; %lu rolls, %lu oversize, %lu checkpoints, "
      "%lu files used again, %lu times full\n",
      sum.images, sum.nested, sum.moments, sum.rolls, sum.oversize, sum.checkpoints, sum.recycled,
      sum.full);
  CHECK(sum.images >= images_min * count);
  CHECK(sum.rolls >= count);
  CHECK(sum.checkpoints >= count);
  if (plan.small_disk) CHECK(sum.recycled >= count);
}

TEST_CASE("every crash image holds what was accepted, and nothing that was not submitted") {
  explore_all({}, seeds(12), 500);
}

TEST_CASE("so does every image of a journal whose space goes round") {
  workload_plan plan;
  plan.small_disk = true;
  plan.live_blocks = 4;
  explore_all(plan, seeds(12), 500);
}

TEST_CASE("so does every image after failed writes and syncs") {
  workload_plan plan;
  plan.faults = true;
  explore_all(plan, seeds(8), 300);
}

struct catch_report {
  std::uint64_t images = 0;  ///< until something was wrong; 0: it went unnoticed
  std::string wrong;
};

catch_report images_until_caught(const omission& left_out) {
  figures sum;
  workload_plan plan;
  plan.small_disk = true;
  plan.live_blocks = 4;
  for (plan.seed = 1; plan.seed <= 30; ++plan.seed)
    if (const std::string wrong = explore(plan, sum, left_out); !wrong.empty())
      return {sum.images, "seed " + std::to_string(plan.seed) + ", " + wrong};
  return {};
}

bool any_sync(io_op::kind, const std::string&) {
  return true;
}
bool segment_sync(io_op::kind what, const std::string& name) {
  return what == io_op::kind::sync && name.starts_with("seg/");
}
bool checkpoint_sync(io_op::kind what, const std::string& name) {
  return what == io_op::kind::sync && name.starts_with("checkpoint");
}
bool segment_names(io_op::kind what, const std::string& name) {
  return what == io_op::kind::sync_dir && name == "seg";
}
bool checkpoint_names(io_op::kind what, const std::string& name) {
  return what == io_op::kind::sync_dir && name.empty();
}

TEST_CASE("a sync that is left out is found out, whichever it is") {
  const struct {
    const char* what;
    omission left_out;
  } controls[] = {{"all syncs", {any_sync, {}}},
                  {"of segments", {segment_sync, {}}},
                  {"of checkpoints", {checkpoint_sync, {}}},
                  {"of the names of segments", {segment_names, {}}},
                  {"of the names of checkpoints", {checkpoint_names, {}}},
                  {"of segments, while opening", {{}, segment_sync}},
                  {"of the names of segments, while opening", {{}, segment_names}}};
  for (const auto& control : controls) {
    const catch_report caught = images_until_caught(control.left_out);
    std::printf("left out: %s: after %lu images: %s\n", control.what, caught.images,
                caught.wrong.c_str());
    CHECK_MESSAGE(!caught.wrong.empty(), control.what);
  }
}

}  // namespace
}  // namespace holdfast::testing
