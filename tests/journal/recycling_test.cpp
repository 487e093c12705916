// Files of freed segments are used again: their old bytes never come back, whatever is lost when,
// and bytes that somebody still holds are not overwritten.
#include <doctest/doctest.h>

#include "journal/open.hpp"
#include "journal/segment_table.hpp"
#include "tests/journal/rig.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t segment = 16 << 10;

virtual_disk_options disk_of(std::uint64_t seed) {
  virtual_disk_options options;
  options.seed = seed;
  return options;
}

// Messages of one stream flow through; all but the newest ones are finished and gone.
struct flow {
  explicit flow(std::uint64_t seed) : r(disk_of(seed)) {
    r.options.segment_bytes = segment;
    r.options.tail_bytes = 4000;
    r.must_open();
    r.settle_down();
  }
  void append(std::uint64_t messages) {
    for (; messages != 0; --messages) r.append(block_item(1, next++, 1, 900));
  }
  /// Everything below `to` is finished; two checkpoints give its space back.
  void finish_below(std::uint64_t to) {
    floor = to;
    r.log->trim(1, to);
    for (int i = 0; i < 2; ++i) {
      r.append(control_item(record_type::trim, to));
      r.settle_down();
      r.checkpoint({});
    }
  }
  void round() {
    append(20);
    r.settle_down();
    finish_below(next - 3);
  }
  rig r;
  std::uint64_t next = 1;
  std::uint64_t floor = 1;
};

TEST_CASE("a steady flow takes no new files: those of freed segments are used again") {
  flow f(1);
  for (int i = 0; i < 5; ++i) f.round();
  const std::uint64_t before = f.r.log->stats().recycled;
  const std::vector<std::string> names = f.r.disk.names();
  for (int i = 0; i < 50; ++i) f.round();
  CHECK(f.r.log->stats().recycled - before > 45);
  CHECK(f.r.disk.names().size() <= names.size());
  CHECK(f.r.log->stats().disk_bytes <=
        f.r.log->stats().segments * segment + 8 * segment + 3 * (64 << 10));
  for (const block& b : f.r.read_all(1, f.floor)) CHECK(right(b));
}

TEST_CASE("after a restart the files of freed segments are spares again") {
  flow f(2);
  for (int i = 0; i < 6; ++i) f.round();
  REQUIRE(f.r.log->stats().spare_segments >= 4);
  const std::size_t files = f.r.disk.names().size();
  for (int i = 0; i < 10; ++i) {
    f.r.must_open();
    f.r.settle_down();
    CHECK(f.r.report.damaged.empty());
    CHECK(!f.r.report.torn);
    f.r.log->trim(1, f.floor);
    f.finish_below(f.floor);
  }
  CHECK(f.r.disk.names().size() <= files + 1);
}

// What stands after power was lost at any operation while a file is used anew.
void lose_power_at(std::uint64_t seed, std::size_t operations) {
  flow f(seed);
  for (int i = 0; i < 6; ++i) f.round();
  const std::uint64_t accepted = f.next;
  f.r.disk.set_auto_complete(false);
  for (int turn = 0; turn < 12; ++turn) {
    f.append(3);
    f.r.disk.step(operations / 12 + (static_cast<std::size_t>(turn) < operations % 12 ? 1 : 0));
    f.r.log->progress();
  }
  const std::uint64_t submitted = f.next;
  f.r.disk.crash(crash_mode::power);
  f.r.disk.set_auto_complete(true);
  f.r.must_open();
  f.r.settle_down();
  REQUIRE(f.r.report.damaged.empty());
  f.r.log->trim(1, f.floor);
  std::uint64_t want = f.floor;
  for (const block& b : f.r.read_all(1, f.floor)) {
    REQUIRE(right(b));
    REQUIRE(b.first == want++);
  }
  REQUIRE(want >= accepted);
  REQUIRE(want <= submitted);
  for (const replayed& record : f.r.records)
    if (record.head.type == record_type::block) REQUIRE(record.head.first_sequence >= f.floor - 40);
}

TEST_CASE("power lost at any operation while files are used anew") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (std::size_t operations = 0; operations < 70; ++operations) {
      CAPTURE(seed);
      CAPTURE(operations);
      lose_power_at(seed, operations);
    }
  }
}

// A checkpoint may still list a segment whose file has another life by now.
TEST_CASE("a file in its second life is not taken for the first when a checkpoint lists it") {
  flow f(9);
  f.append(40);
  f.r.settle_down();
  for (int i = 0; i < 2; ++i) f.r.checkpoint({});  // both list segments full of live messages
  f.r.log->trim(1, f.next);  // all of it is finished, and its space is given away
  f.floor = f.next;
  for (int i = 0; i < 120; ++i) {
    f.append(1);
    f.r.settle_down();
  }
  REQUIRE(f.r.log->stats().recycled != 0);
  f.r.must_open();
  CHECK(f.r.report.damaged.empty());
  f.r.log->trim(1, f.floor);  // as the records since the checkpoint say
  f.r.settle_down();
  f.finish_below(f.floor);
  f.append(60);  // into the files that are spares by now
  f.r.settle_down();
  f.r.must_open();
  CHECK(f.r.report.damaged.empty());
  const auto all = f.r.read_all(1, f.floor);
  CHECK(all.size() == 180);
  for (const block& b : all) CHECK(right(b));
}

TEST_CASE("both copies of a header are of the file's present life once it is quiet") {
  flow f(3);
  for (int i = 0; i < 12; ++i) f.round();
  REQUIRE(f.r.log->stats().recycled > 5);
  std::uint64_t segments = 0;
  for (const std::string& name : f.r.disk.names()) {
    const std::vector<std::byte> bytes = f.r.disk.content(name);
    const auto first = decode_segment_header(bytes);
    if (segment_slot(name) < 0 || !first || first->spare) continue;
    ++segments;
    CHECK(first == decode_segment_header(bytes_view(bytes).subspan(segment_header_copy_at)));
  }
  CHECK(segments == f.r.log->stats().segments);
}

TEST_CASE("bytes that a peer still holds are not overwritten") {
  const temporary_directory own;
  journal_options options;
  options.segment_bytes = 64 << 10;
  options.tail_bytes = 0;
  open_report report;
  auto opened = open_journal(own.path, options, report);
  REQUIRE_MESSAGE(opened.ok(), opened.text());
  journal& log = **opened;
  REQUIRE(log.replay([](auto) {}).ok());
  const auto write = [&log](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n < to; ++n) {
      append_item item = block_item(1, n, 1, 3000);
      log.append({&item, 1});
    }
    REQUIRE(log.flush().ok());
  };
  write(1, 40);
  std::vector<block> held;
  for (fetched got{fetch::pending, {}}; got.outcome == fetch::pending; log.progress())
    got = log.read(1, 2, {1, 1}, held);
  REQUIRE(held.at(0).body.owner()->what() == buffer::kind::map);
  for (std::uint64_t n = 40; n < 400; n += 40) {
    log.trim(1, n);
    write(n, n + 40);
    REQUIRE(log.begin_checkpoint());
    log.finish_checkpoint();
    REQUIRE(log.flush().ok());
  }
  CHECK(log.stats().recycled != 0);
  CHECK(right(held.at(0)));
  CHECK(log.close().ok());
}

}  // namespace
}  // namespace holdfast::testing
