// Files cannot be made, whatever the reason, while the disk says that it has room: as with a full
// disk producers are held, acks go on in the reserve, and all of it resumes by itself. Nothing of
// this is final: only the log's own writes and syncs are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

constexpr std::size_t body = 900;
constexpr std::uint64_t oversize = 40'000;  // more than a quarter of a segment

struct held_up {
  explicit held_up(int error = EMFILE, std::uint64_t seed = 1)
      : r(virtual_disk_options{.seed = seed}), why(error) {
    r.options.segment_bytes = 64 << 10;
    r.options.tail_bytes = 4000;
    r.must_open();
    r.settle_down();
  }
  void files_fail() { r.disk.fail_always(io_op::kind::create, why); }
  void files_work() { r.disk.fail_always(io_op::kind::create, 0); }
  bool append(std::size_t size = body) {
    if (r.log->available().message_bytes < size) return false;
    last = r.append(block_item(1, next++, 1, size));
    return true;
  }
  /// Messages until there is no room; turns in between.
  void fill() {
    for (int i = 0; append(); ++i) {
      REQUIRE(i < 10'000);
      r.settle_down();
    }
  }
  marks ack() {
    last = r.append(control_item(record_type::group_ack, next, 200));
    return r.settle_down();
  }
  /// Turns, a second apart.
  marks seconds(int count) {
    marks at;
    for (int i = 0; i < count; ++i) {
      r.now_ns += second_ns;
      at = r.settle_down();
    }
    return at;
  }
  void check_all() {
    CHECK(r.settle_down().synced == last);
    r.must_open();
    CHECK(r.report.damaged.empty());
    CHECK(r.read_all(1, 1).size() == next - 1);
    for (const block& b : r.read_all(1, 1)) CHECK(right(b));
  }
  rig r;
  int why;
  std::uint64_t next = 1;
  ticket last = 0;
};

TEST_CASE("no files: producers are held, acks go on in the reserve, and it resumes") {
  for (const int error : {ENOSPC, EMFILE, EROFS, EDQUOT}) {
    held_up h(error);
    h.files_fail();
    h.fill();
    CHECK(h.r.log->stats().full);
    CHECK(h.next > 50);
    for (int i = 0; i < 300; ++i) REQUIRE(h.ack().synced == h.last);  // more than a segment
    h.seconds(30);
    CHECK(h.r.log->available().message_bytes == 0);
    CHECK(h.r.log->progress().failure == nullptr);
    CHECK(h.r.log->take_troubles().size() == 1);
    h.files_work();
    CHECK(h.seconds(2).synced == h.last);
    CHECK(h.r.log->take_troubles().size() == 1);  // that it works again
    REQUIRE(h.append());
    for (int i = 0; i < 500; ++i) {
      REQUIRE(h.append());
      h.r.settle_down();
    }
    h.check_all();
  }
}

TEST_CASE("no files: what is freed meanwhile is used") {
  held_up h;
  while (h.next < 200) {
    h.append();
    h.r.settle_down();
  }
  h.files_fail();
  h.fill();
  // Each checkpoint needs a file too, and a segment is freed by the second.
  h.r.log->trim(1, h.next);
  h.ack();
  h.files_work();
  for (int i = 0; i < 2; ++i) h.r.checkpoint({});
  h.files_fail();
  CHECK(h.r.log->stats().recycled + h.r.log->stats().spare_segments > 2);
  CHECK(h.r.log->available().message_bytes > 0);
}

TEST_CASE("no files: a record that needs a file of its own waits for it, and all behind it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    held_up h(seed % 2 ? ENOSPC : EMFILE, seed);
    for (int i = 0; i < 20; ++i) h.append();
    const ticket before = h.last;
    REQUIRE(h.r.settle_down().synced == before);
    h.files_fail();
    h.append();
    REQUIRE(h.append(oversize));
    h.append();
    CHECK(h.r.settle_down().synced <= before + 1);
    CHECK(h.r.log->stats().held);
    CHECK(h.r.log->available().message_bytes == 0);
    for (int i = 0; i < 100; ++i) h.ack();  // in memory, and in order behind it
    const std::uint64_t spares = h.r.log->stats().spare_segments;
    const marks at = h.seconds(20);
    CHECK(at.synced <= before + 1);
    CHECK(at.failure == nullptr);
    for (int i = 0; i < 20; ++i) {
      h.ack();
      h.seconds(1);
    }
    CHECK(h.r.log->stats().spare_segments + 1 >= spares);  // the reserve is not used up by trying
    CHECK(h.r.log->take_troubles().size() == 1);
    CHECK(!h.r.log->flush().ok());  // does not wait for ever
    h.files_work();
    CHECK(h.seconds(2).synced == h.last);
    CHECK(!h.r.log->stats().held);
    h.check_all();
  }
}

TEST_CASE("no files: what waited is lost at a crash, as nobody was told that it was accepted") {
  held_up h;
  for (int i = 0; i < 20; ++i) h.append();
  h.r.settle_down();
  h.files_fail();
  REQUIRE(h.append(oversize));
  h.append();
  h.seconds(3);
  h.r.disk.crash(crash_mode::process);
  h.r.must_open();
  CHECK(h.r.report.damaged.empty());
  CHECK(h.r.read_all(1, 1).size() >= 20);
}

TEST_CASE("no files: acks beyond the reserve wait, and are durable when files can be made again") {
  held_up h;
  h.files_fail();
  h.fill();
  for (int i = 0; i < 2000 && !h.r.log->stats().held; ++i) h.ack();
  REQUIRE(h.r.log->stats().held);
  for (int i = 0; i < 500; ++i) h.ack();
  CHECK(h.seconds(10).failure == nullptr);
  h.files_work();
  CHECK(h.seconds(2).synced == h.last);
  h.seconds(2);
  REQUIRE(h.append());
  h.check_all();
}

TEST_CASE(
    "no files: a failed write while a file is waited for is the first failure, not the second") {
  held_up h;
  for (int i = 0; i < 20; ++i) h.append();
  h.r.settle_down();
  h.files_fail();
  REQUIRE(h.append(oversize));
  h.seconds(2);
  h.files_work();
  h.r.disk.fail_write(1, EIO);
  CHECK(h.seconds(3).failure == nullptr);
  h.check_all();
}

TEST_CASE("no files: a rewrite for which no file can be made waits as well") {
  held_up h;
  for (int i = 0; i < 20; ++i) h.append();
  h.r.settle_down();
  h.r.disk.set_auto_complete(false);
  for (int i = 0; i < 120; ++i) h.append();  // more than a segment holds
  h.files_fail();
  h.r.disk.fail_write(1, EIO);
  h.r.disk.set_auto_complete(true);
  CHECK(h.seconds(5).failure == nullptr);
  CHECK(h.r.log->stats().held);
  h.files_work();
  CHECK(h.seconds(2).synced == h.last);
  h.check_all();
}

}  // namespace
}  // namespace holdfast::testing
