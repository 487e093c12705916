// The second copy of a segment's header after a write or sync that failed: it is asked for again
// where the file is sound, never where it is not, and its own failure costs nothing else.
#include <doctest/doctest.h>

#include <cerrno>

#include "journal/segment_table.hpp"
#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

struct two_copies {
  explicit two_copies(std::uint64_t seed)
      : r(virtual_disk_options{.seed = seed}), pace(2 + seed % 5) {
    r.options.segment_bytes = 16 << 10;
    r.options.tail_bytes = 4000;
    r.must_open();
    r.settle_down();
    r.disk.set_auto_complete(false);
  }
  /// Appends and lets the disk work in between, an operation at a time.
  void flow(int turns) {
    random_source random(7);
    for (int i = 0; i < turns; ++i) {
      last = r.append(block_item(1, next++, 1, 900));
      for (std::uint64_t steps = random.below(pace); steps != 0; --steps) {
        r.disk.step(1);
        r.log->progress();
      }
    }
  }
  marks settle() {
    r.disk.fail_write(0, 0);  // if it has not come to that
    r.disk.fail_sync(0, 0);
    r.disk.set_auto_complete(true);
    r.now_ns += 10 * ms_ns;
    r.settle_down();
    r.append(control_item(record_type::group_ack, 1));
    last = r.append(control_item(record_type::group_ack, 1));
    return r.settle_down();
  }
  /// Segments of the log whose second copy is not that of now.
  int with_one_copy() const {
    std::map<std::uint64_t, std::pair<segment_header, bool>> by_base;
    for (const std::string& name : r.disk.names()) {
      const std::vector<std::byte> bytes = r.disk.content(name);
      const auto first = decode_segment_header(bytes);
      if (segment_slot(name) < 0 || !first || first->spare) continue;
      const auto second = decode_segment_header(bytes_view(bytes).subspan(segment_header_copy_at));
      by_base[first->base] = {*first, second == first};
    }
    int count = 0;
    for (auto at = std::prev(by_base.end()); at != by_base.end();) {
      count += at->second.second ? 0 : 1;
      at = by_base.find(at->second.first.previous_base);
      if (at->first == 0) break;
    }
    return count;
  }
  void check_all() {
    r.must_open();
    CHECK(r.report.damaged.empty());
    const auto all = r.read_all(1, 1);
    CHECK(all.size() == next - 1);
    for (const block& b : all) CHECK(right(b));
  }
  rig r;
  std::uint64_t pace;  // of the disk; the slower, the more is asked when something fails
  std::uint64_t next = 1;
  ticket last = 0;
};

TEST_CASE(
    "header copies: whichever write or sync fails, only its own segment stays with one copy") {
  for (const bool sync : {false, true}) {
    for (std::uint64_t nth = 1; nth <= 150; ++nth) {
      CAPTURE(sync);
      CAPTURE(nth);
      two_copies t(nth);
      t.flow(20);
      sync ? t.r.disk.fail_sync(nth, EIO) : t.r.disk.fail_write(nth, EIO);
      t.flow(60);
      const marks at = t.settle();
      REQUIRE(at.failure == nullptr);
      CHECK(at.synced == t.last);
      CHECK(t.with_one_copy() <= 1);
      t.check_all();
    }
  }
}

TEST_CASE("header copies: the failure of one is told, and nothing is written again for it") {
  int told = 0;
  for (std::uint64_t nth = 1; nth <= 60; ++nth) {
    two_copies t(nth);
    t.flow(20);
    t.r.disk.fail_sync(nth, EIO);
    t.flow(60);
    t.settle();
    for (const std::string& said : t.r.log->take_troubles()) {
      if (said.find("second copy") == std::string::npos) continue;
      ++told;
      CHECK(t.r.log->stats().rewritten == 0);
      CHECK(t.with_one_copy() <= 1);
    }
  }
  CHECK(told > 0);
}

TEST_CASE("header copies: a segment with one copy is removed when it is freed, not used again") {
  for (std::uint64_t nth = 1; nth <= 40; ++nth) {
    two_copies t(nth);
    t.flow(20);
    t.r.disk.fail_sync(nth, EIO);
    t.flow(60);
    t.settle();
    t.r.log->trim(1, t.next);
    for (int i = 0; i < 3; ++i) {
      t.r.append(control_item(record_type::trim, t.next));
      t.r.settle_down();
      t.r.checkpoint({});
    }
    CHECK(t.r.log->stats().segments <= 2);
    CHECK(t.with_one_copy() <= 1);
    t.r.must_open();
    CHECK(t.r.report.damaged.empty());
    CHECK(t.r.report.notes.empty());
  }
}

// A second copy alone would be called damage for as long as the segment stands. A failed write puts
// down a part, most often all of a header: hence the many seeds.
TEST_CASE("header copies: an opening that cannot write the first leaves no second") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    rig r(virtual_disk_options{.seed = seed});
    r.options.segment_bytes = 16 << 10;
    r.disk.fail_write(1, ENOSPC);
    REQUIRE(!r.open().ok());
    for (const std::string& name : r.disk.names()) {
      const std::vector<std::byte> bytes = r.disk.content(name);
      if (segment_slot(name) < 0 || decode_segment_header(bytes)) continue;
      CHECK(!decode_segment_header(bytes_view(bytes).subspan(segment_header_copy_at)));
    }
    r.must_open();
  }
}

}  // namespace
}  // namespace holdfast::testing
