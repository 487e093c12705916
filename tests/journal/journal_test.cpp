// The journal's everyday life on the virtual disk: append, levels, rolling, reading back,
// checkpoints, space.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

TEST_CASE("a new journal is empty and says so") {
  rig r;
  r.must_open();
  CHECK(r.report.created);
  CHECK(r.records.empty());
  std::vector<block> out;
  CHECK(r.log->read(1, 1, {10, 1000}, out).outcome == fetch::end);
  CHECK(r.log->available().message_bytes > 0);
}

TEST_CASE("marks follow the level") {
  rig r;
  r.must_open();
  r.settle_down();
  r.disk.set_auto_complete(false);
  const ticket disk = r.append(block_item(1, 1, 3, 500));
  CHECK(r.log->progress().appended == disk);
  CHECK(r.log->progress().written < disk);
  std::vector<block> out;
  CHECK(r.log->read(1, 1, {10, 1000}, out).outcome == fetch::end);  // not written yet
  r.disk.step(1);
  CHECK(r.log->progress().written == disk);
  CHECK(r.log->progress().synced < disk);
  CHECK(r.log->read(1, 1, {10, 1000}, out).outcome == fetch::ok);
  r.disk.step(1);
  CHECK(r.log->progress().synced == disk);

  const ticket weak = r.append(block_item(1, 4, 1, 500, level::interval));
  r.disk.step(100);
  CHECK(r.log->progress().at(level::interval) == weak);
  CHECK(r.log->progress().at(level::disk) == disk);
  r.now_ns += 50 * ms_ns;
  CHECK(r.log->next_deadline() <= r.now_ns);
  r.log->progress();
  r.disk.step(100);
  CHECK(r.log->progress().at(level::disk) == weak);

  const ticket weakest = r.append(block_item(1, 5, 1, 500, level::process));
  r.disk.step(100);
  r.now_ns += 999 * ms_ns;
  r.log->progress();
  r.disk.step(100);
  CHECK(r.log->progress().at(level::process) == weakest);
  CHECK(r.log->progress().at(level::disk) == weak);
  r.now_ns += ms_ns;
  r.log->progress();
  r.disk.step(100);
  CHECK(r.log->progress().at(level::disk) == weakest);
}

TEST_CASE("an idle line gets one watermark record, and only one") {
  rig r;
  r.must_open();
  r.settle_down();
  r.now_ns += 10 * ms_ns;
  r.settle_down();
  r.append(block_item(1, 1, 1, 100));
  r.settle_down();
  const std::uint64_t before = r.log->stats().records;
  const std::uint64_t syncs = r.log->stats().syncs;
  r.now_ns += ms_ns;
  r.settle_down();
  CHECK(r.log->stats().records == before + 1);
  CHECK(r.log->stats().syncs == syncs + 1);
  r.now_ns += 100 * ms_ns;
  r.settle_down();
  CHECK(r.log->stats().records == before + 1);
  CHECK(r.log->next_deadline() == never_ns);
}

TEST_CASE("what was appended is read back: live, from segments, and after a restart") {
  rig r;
  r.options.tail_bytes = 4096;
  r.must_open();
  std::uint64_t next = 1;
  for (int i = 0; i < 400; ++i) {
    const auto count = static_cast<std::uint16_t>(1 + i % 5);
    r.append(block_item(1 + i % 2 * 2, next, count, static_cast<std::size_t>(i * 7 % 3000)));
    if (i % 2 == 1) next += count + 4;
    r.settle_down();
  }
  CHECK(r.log->stats().segments > 5);
  const auto check_stream = [&](stream_id stream) {
    const std::vector<block> all = r.read_all(stream, 1);
    CHECK(all.size() == 200);
    for (const block& b : all) CHECK(right(b));
  };
  // Sequences of this test have gaps by construction; they are reported, not skipped.
  check_stream(1);
  check_stream(3);
  CHECK(r.log->stats().loads > 0);
  r.must_open();
  CHECK(r.records.size() == 400);
  check_stream(1);
  check_stream(3);
  CHECK(r.report.damaged.empty());
}

TEST_CASE("reading from anywhere in a large segment needs few loads") {
  rig r;
  r.options.segment_bytes = 32 << 20;
  r.options.tail_bytes = 0;
  r.must_open();
  for (std::uint64_t i = 1; i <= 3000; ++i) {
    r.append(block_item(1, i, 1, 8000));
    if (i % 100 == 0) r.settle_down();
  }
  r.settle_down();
  for (const std::uint64_t from : {2900u, 100u, 1500u, 2999u, 1u}) {
    const std::uint64_t before = r.log->stats().loads;
    std::vector<block> out;
    while (r.log->read(1, from, {1, 1}, out).outcome == fetch::pending) r.log->progress();
    REQUIRE(out.size() == 1);
    CHECK(out[0].first == from);
    CHECK(right(out[0]));
    CHECK(r.log->stats().loads - before <= 8);
  }
}

TEST_CASE("records larger than a quarter segment get a segment of their own") {
  rig r;
  r.options.tail_bytes = 0;
  r.must_open();
  r.append(block_item(1, 1, 1, 100));
  r.append(block_item(1, 2, 1, 300'000));
  r.append(block_item(1, 3, 1, 100));
  CHECK(r.settle_down().synced == 3);
  CHECK(r.log->checkpoint_due());
  const auto all = r.read_all(1, 1);
  REQUIRE(all.size() == 3);
  for (const block& b : all) CHECK(right(b));
  r.must_open();
  CHECK(r.records.size() == 3);
  CHECK(r.read_all(1, 1).size() == 3);
  r.log->trim(1, 4);
  for (std::uint64_t i = 0; i < 3; ++i) {
    r.append(block_item(1, 4 + i, 1, 100));
    r.settle_down();
    r.checkpoint({});
  }
  r.settle_down();
  for (const std::string& name : r.disk.names())
    CHECK_MESSAGE(r.disk.content(name).size() <= r.options.segment_bytes, name);
}

TEST_CASE("a batch lies in one segment and keeps its marks") {
  rig r;
  r.must_open();
  for (std::uint64_t i = 0; i < 40; ++i) {
    std::vector<append_item> items;
    for (std::uint64_t k = 0; k < 3; ++k) {
      items.push_back(block_item(1, 1 + i * 3 + k, 1, 1500));
      items.back().head.flags = k < 2 ? record_flag::batch_more : record_flag::batch_end;
    }
    r.log->append(items);
  }
  r.settle_down();
  r.must_open();
  REQUIRE(r.records.size() == 120);
  for (std::size_t i = 0; i < 120; i += 3)
    CHECK(r.records[i + 2].position - r.records[i].position == 2 * record_size(1500));
}

TEST_CASE("a checkpoint gives its rows back and replay goes on behind it") {
  rig r;
  r.must_open();
  for (std::uint64_t i = 1; i <= 50; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();
  std::vector<std::byte> rows = body_of(9, 9, 3'000'000);
  REQUIRE(r.log->begin_checkpoint());
  CHECK(!r.log->begin_checkpoint());
  for (std::size_t at = 0; at < rows.size(); at += 70'000) {
    r.log->add_checkpoint_rows(
        std::span(rows).subspan(at, std::min<std::size_t>(70'000, rows.size() - at)));
    r.append(block_item(1, 51 + at / 70'000, 1, 1000));
    r.log->progress();
  }
  r.log->finish_checkpoint();
  r.settle_down();
  CHECK(!r.log->checkpoint_running());
  r.must_open();
  CHECK(r.checkpoint_rows == rows);
  REQUIRE(r.records.size() == 43);
  CHECK(r.records[0].head.first_sequence == 51);
  CHECK(r.read_all(1, 1).size() == 93);
}

TEST_CASE("an unreadable checkpoint gives way to the older, then to the whole log") {
  rig r;
  r.must_open();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    r.append(block_item(1, i, 1, 1000));
    r.settle_down();
    r.checkpoint(body_of(5, i, 100 * i));
  }
  std::vector<std::string> kept;
  for (const std::string& name : r.disk.names())
    if (name.starts_with("checkpoint.0")) kept.push_back(name);
  REQUIRE(kept.size() == 2);
  const std::byte bad[1] = {std::byte{0xff}};
  r.disk.damage(kept[1], 200, bad);
  r.must_open();
  CHECK(r.report.checkpoint_damaged);
  CHECK(r.checkpoint_rows == body_of(5, 2, 200));
  CHECK(r.records.size() == 1);
  CHECK(r.read_all(1, 1).size() == 3);
  r.disk.damage(kept[0], 200, bad);
  r.must_open();
  CHECK(r.checkpoint_rows.empty());
  CHECK(r.records.size() == 3);
  CHECK(r.read_all(1, 1).size() == 3);
}

TEST_CASE("space returns when nothing is live, and one live message keeps only its segment") {
  rig r;
  r.must_open();
  std::uint64_t peak = 0;
  for (std::uint64_t i = 1; i <= 4000; ++i) {
    r.append(block_item(1, i, 1, 1000));
    r.settle_down();
    if (i > 1) {
      const range done{i, 1};  // message 1 is held for ever
      r.log->settle(1, {&done, 1});
    }
    if (i % 100 == 0) r.checkpoint({});
    peak = std::max(peak, r.disk.used_bytes());
  }
  CHECK(peak < 16 * r.options.segment_bytes);
  CHECK(r.log->stats().segments < 8);
  r.must_open();
  const auto all = r.read_all(1, 1);
  REQUIRE(!all.empty());
  CHECK(all.front().first == 1);
  CHECK(right(all.front()));
}

TEST_CASE("what was settled since the last turn asks for one, so that its space returns") {
  rig r;
  r.must_open();
  for (std::uint64_t i = 1; i <= 200; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();
  r.now_ns += 10 * second_ns;  // the watermark is due, and written
  r.log->trim(1, 2);
  r.settle_down();  // the relocator has looked; it does so again after a while only
  CHECK(r.log->next_deadline() > r.now_ns);
  r.log->trim(1, 201);
  CHECK(r.log->next_deadline() <= r.now_ns);
  r.settle_down();
  CHECK(r.log->next_deadline() > r.now_ns);
}

TEST_CASE("what is trimmed gives its space back, and reading there is told of the gap") {
  rig r;
  r.must_open();
  std::uint64_t peak = 0, next = 1;
  for (int life = 0; life < 3; ++life) {
    if (life > 0) r.must_open();
    for (int i = 0; i < 1500; ++i, ++next) {
      r.append(block_item(1, next, 1, 1000));
      r.settle_down();
      if (next > 100) r.log->trim(1, next - 100);  // the last hundred are kept
      if (next % 100 == 0) r.checkpoint({});
      peak = std::max(peak, r.disk.used_bytes());
    }
    r.log->trim(1, next - 200);  // an older trim changes nothing
  }
  CHECK(peak < 20 * r.options.segment_bytes);
  CHECK(r.log->stats().segments < 12);
  std::vector<range> gaps;
  const auto kept = r.read_all(1, 1, &gaps);
  REQUIRE(!gaps.empty());
  CHECK(gaps.front().first == 1);
  CHECK(kept.back().first == next - 1);
  CHECK(kept.size() >= 100);
  CHECK(std::all_of(kept.begin(), kept.end(), [](const block& b) { return right(b); }));
}

TEST_CASE("the machine's start is told until a message is numbered after it") {
  for (const bool checkpointed : {false, true}) {
    rig r;
    r.must_open();
    for (std::uint64_t i = 1; i <= 20; ++i) r.append(block_item(1, i, 1, 1000));
    r.settle_down();
    if (checkpointed) r.checkpoint({});
    r.must_open();
    CHECK_FALSE(r.report.other_boot);
    r.disk.crash(crash_mode::power);
    r.options.boot_id[0] = std::byte{2};
    for (int life = 0; life < 3; ++life) {  // that end before anything but definitions is stored
      r.must_open();
      CHECK(r.report.other_boot);
      if (life == 1) r.append(control_item(record_type::stream_def, 1));
      r.settle_down();
      r.disk.crash(crash_mode::process);
    }
    r.must_open();
    CHECK(r.report.other_boot);
    r.append(block_item(1, 21, 1, 1000));
    r.settle_down();
    r.disk.crash(crash_mode::process);
    r.must_open();
    CHECK_FALSE(r.report.other_boot);
    r.checkpoint({});
    r.must_open();
    CHECK_FALSE(r.report.other_boot);
  }
}

TEST_CASE("settling twice after a restart frees nothing early") {
  rig r;
  r.must_open();
  for (std::uint64_t i = 1; i <= 200; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();
  const range some[] = {{1, 40}, {50, 10}};
  r.log->settle(1, some);
  r.checkpoint({});
  for (int round = 0; round < 3; ++round) {
    r.must_open();
    r.log->settle(1, some);
    for (std::uint64_t i = 0; i < 3; ++i) {
      r.append(control_item(record_type::group_ack, i));
      r.settle_down();
      r.checkpoint({});
    }
    const auto left = r.read_all(1, 41);
    std::vector<std::uint64_t> live;
    for (const block& b : left)
      if (b.first < 50 || b.first >= 60) live.push_back(b.first);
    CHECK(live.size() == 150);
  }
}

virtual_disk_options small_disk() {
  virtual_disk_options small;
  small.capacity = 20 * (64 << 10);
  return small;
}

/// Opens, and appends to stream 1 until no message is taken any more; the next sequence.
std::uint64_t fill(rig& r) {
  r.must_open();
  r.settle_down();
  std::uint64_t next = 1;
  while (r.log->available().message_bytes >= 2000 && next < 10'000) {
    r.append(block_item(1, next++, 1, 2000));
    r.settle_down();
  }
  return next;
}

TEST_CASE("a full disk stops messages, keeps control records going, and resumes") {
  rig r(small_disk());
  const std::uint64_t next = fill(r);
  CHECK(next > 300);
  CHECK(next < 640);
  CHECK(r.log->stats().full);
  // The reserve: acks go on, and a checkpoint too.
  for (std::uint64_t i = 0; i < 1000; ++i) {
    REQUIRE(r.log->available().control_bytes > 100);
    r.append(control_item(record_type::group_ack, i, 30));
    CHECK(r.settle_down().failure == nullptr);
  }
  const range done{1, next - 1};
  r.log->settle(1, {&done, 1});
  for (int i = 0; i < 2; ++i) {
    r.now_ns += second_ns;
    r.append(control_item(record_type::group_ack, 0));
    r.settle_down();
    CHECK(r.log->checkpoint_due());
    const std::uint64_t before = r.log->stats().checkpoints;
    r.checkpoint({});
    CHECK(r.log->stats().checkpoints == before + 1);
  }
  r.now_ns += 2 * second_ns;
  r.settle_down();
  r.settle_down();
  CHECK(!r.log->stats().full);
  CHECK(r.log->available().message_bytes >= 2000);
}

TEST_CASE(
    "a full disk gets its space back though nothing more is appended; replies have some left") {
  rig r(small_disk());
  const std::uint64_t next = fill(r);
  REQUIRE(r.log->stats().full);
  // A segment of the reserve at least, and one is left for acks.
  std::uint64_t replies = 0;
  while (r.log->available().reply_bytes >= 2000 && replies < 1000) {
    r.append(block_item(2, ++replies, 1, 2000));
    CHECK(r.settle_down().failure == nullptr);
  }
  CHECK(replies * 2000 > (64 << 10) * 9 / 10);
  CHECK(r.log->available().control_bytes > (64 << 10) * 9 / 10);
  r.append(control_item(record_type::group_ack, 1, 30));
  const range done{1, next - 1};
  r.log->settle(1, {&done, 1});
  for (int i = 0; i < 2; ++i) {
    r.now_ns += second_ns;
    r.settle_down();
    REQUIRE(r.log->checkpoint_due());
    r.checkpoint({});
  }
  r.now_ns += 2 * second_ns;
  r.settle_down();
  CHECK(r.log->available().message_bytes >= 2000);
  r.now_ns += 100 * second_ns;
  r.settle_down();
  CHECK_FALSE(r.log->checkpoint_due());  // not for ever
}

TEST_CASE("a failed sync is final for its segment: what was not durable is written elsewhere") {
  for (const bool write_fails : {false, true}) {
    rig r;
    r.must_open();
    r.settle_down();
    r.append(block_item(1, 1, 1, 700));
    r.settle_down();
    const std::uint64_t place = r.log->next_position();
    if (write_fails)
      r.disk.fail_write(1, 5);
    else
      r.disk.fail_sync(1, 5);
    std::vector<append_item> batch;
    batch.push_back(block_item(1, 2, 1, 700));
    batch.push_back(block_item(1, 3, 1, 700));
    batch[0].head.flags = record_flag::batch_more;
    batch[1].head.flags = record_flag::batch_end;
    r.log->append(batch);
    r.append(block_item(2, 1, 1, 700, level::process));
    const marks at = r.settle_down();
    CHECK(at.failure == nullptr);
    CHECK(at.synced == 4);
    CHECK(r.log->stats().rewritten == 3);
    CHECK(r.log->next_position() > place + 4000);
    CHECK(r.read_all(1, 1).size() == 3);
    r.append(block_item(1, 4, 1, 700));
    r.settle_down();
    r.disk.crash(crash_mode::power);
    r.must_open();
    CHECK(r.records.size() == 5);
    const auto all = r.read_all(1, 1);
    REQUIRE(all.size() == 4);
    for (const block& b : all) CHECK(right(b));
    CHECK(r.report.damaged.empty());
  }
}

TEST_CASE("if the second place fails too, the journal says so and reading goes on") {
  rig r;
  r.must_open();
  r.settle_down();
  r.append(block_item(1, 1, 1, 700));
  r.settle_down();
  r.disk.set_auto_complete(false);
  r.append(block_item(1, 2, 1, 700));
  r.disk.fail_sync(1, 5);
  r.disk.step(100);
  r.log->progress();
  r.disk.step(100);
  r.log->progress();  // the records are in the second place: now its header and the sync
  r.disk.fail_sync(1, 5);
  r.disk.step(100);
  const marks at = r.log->progress();
  REQUIRE(at.failure != nullptr);
  CHECK(at.failure->kind() == errc::io);
  CHECK(at.synced == 1);
  CHECK(r.log->available().failed);
  r.append(block_item(1, 3, 1, 700));
  r.disk.step(100);
  CHECK(r.log->progress().written <= 2);
  std::vector<block> out;
  CHECK(r.log->read(1, 1, {1, 1}, out).outcome == fetch::ok);
}

}  // namespace
}  // namespace holdfast::testing
