// Files that were begun and never became a part of the log: the next opening takes them for itself,
// the tools name them as unused, and a file that is a part of the log is never taken for one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "journal/repair.hpp"
#include "journal/segment_table.hpp"
#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t messages = 20;

/// A journal whose disk failed for good: records lie in a file to which no header was written.
struct given_up {
  explicit given_up(std::uint64_t seed) : r(virtual_disk_options{.seed = seed}) {
    r.options.segment_bytes = 64 << 10;
    r.must_open();
    for (std::uint64_t n = 1; n <= messages; ++n) r.append(block_item(1, n, 1, 900));
    r.settle_down();
    r.disk.fail_operation(1, EIO, true);
    r.append(block_item(1, messages + 1, 1, 3000));
    REQUIRE(r.settle_down().failure != nullptr);
    r.disk.crash(crash_mode::process);
  }
  /// Files with something behind their header, and none.
  std::vector<std::string> begun() const {
    std::vector<std::string> names;
    for (const std::string& name : r.disk.names()) {
      const std::vector<std::byte> bytes = r.disk.content(name);
      if (segment_slot(name) < 0 || bytes.size() <= records_at) continue;
      const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
      if (std::all_of(bytes.begin(), bytes.begin() + records_at, is_zero) &&
          !std::all_of(bytes.begin() + records_at, bytes.end(), is_zero))
        names.push_back(name);
    }
    return names;
  }
  rig r;
};

TEST_CASE("unused: what a second failure leaves behind is used by the next opening") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    given_up g(seed);
    REQUIRE(g.begun().size() == 1);
    const std::string left = g.begun()[0];
    g.r.must_open();
    REQUIRE(g.r.report.notes.size() == 1);
    CHECK(g.r.report.notes[0].starts_with(left));
    CHECK(g.r.report.damaged.empty());
    for (std::uint64_t n = messages + 1; n <= 400; ++n) g.r.append(block_item(1, n, 1, 900));
    g.r.settle_down();
    const auto header = decode_segment_header(g.r.disk.content(left));
    REQUIRE(header.has_value());
    CHECK(header->reused);
    g.r.must_open();
    CHECK(g.r.report.damaged.empty());
    CHECK(g.r.read_all(1, 1).size() == 400);
  }
}

TEST_CASE("unused: of another size than segments have it is removed") {
  given_up g(1);
  const std::string left = g.begun().at(0);
  g.r.options.segment_bytes = 32 << 10;
  g.r.must_open();
  g.r.settle_down();
  CHECK(g.r.disk.content(left).empty());
  CHECK(g.r.read_all(1, 1).size() >= messages);
}

TEST_CASE("unused: the tools name it so, and find no damage") {
  given_up g(1);
  temporary_directory dir;
  store(g.r.disk, dir.path);
  auto reader = journal_reader::open(dir.path);
  REQUIRE_MESSAGE(reader.ok(), reader.text());
  CHECK((*reader)->info().unused == g.begun());
  CHECK((*reader)->info().unreadable.empty());
  const auto sum = (*reader)->verify();
  REQUIRE(sum.ok());
  CHECK(sum->problems.empty());
  CHECK(sum->messages >= messages);
  const auto plan = plan_repair(dir.path);
  REQUIRE(plan.ok());
  CHECK(plan->steps.empty());
  CHECK(plan->unsolved.empty());
}

// A segment of the log whose front is gone looks the same, but somebody knows of it.
struct without_front {
  without_front() {
    r.options.segment_bytes = 16 << 10;
    r.must_open();
    for (std::uint64_t n = 1; n <= 100; ++n) r.append(block_item(1, n, 1, 900));
    r.settle_down();
    for (const std::string& s : r.disk.names())
      if (const auto h = decode_segment_header(r.disk.content(s)); h && h->base != 0)
        by_base[h->base] = s;
  }
  void lose_front(const std::string& of) {
    name = of;
    r.disk.damage(name, 0, std::vector<std::byte>(records_at));
  }
  void check_kept() {
    temporary_directory dir;
    store(r.disk, dir.path);
    auto reader = journal_reader::open(dir.path);
    REQUIRE(reader.ok());
    CHECK((*reader)->info().unused.empty());
    CHECK((*reader)->info().unreadable == std::vector<std::string>{name});
    CHECK((*reader)->verify()->problems.size() == 1);
    const std::vector<std::byte> before = r.disk.content(name);
    r.must_open();
    r.settle_down();
    const std::vector<std::byte> after = r.disk.content(name);
    CHECK(std::equal(before.begin() + records_at, before.end(), after.begin() + records_at));
  }
  rig r;
  std::map<std::uint64_t, std::string> by_base;
  std::string name;
};

TEST_CASE("unused: a segment without a front that its successor names is none") {
  without_front w;
  w.lose_front(std::next(w.by_base.begin(), 2)->second);
  w.check_kept();
}

TEST_CASE("unused: a segment without a front that the checkpoint lists is none") {
  without_front w;
  w.r.checkpoint({});
  w.lose_front(w.by_base.rbegin()->second);
  w.check_kept();
  CHECK(w.r.read_all(1, 1).size() == 100);  // the list has its header
}

}  // namespace
}  // namespace holdfast::testing
