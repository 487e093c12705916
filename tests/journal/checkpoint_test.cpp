// What a checkpoint says of the journal itself: in slices, of former versions, and only once what
// it says is durable.
#include <doctest/doctest.h>

#include "journal/checkpoint_file.hpp"
#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

TEST_CASE("the rows of many streams are written in slices, and all come back") {
  rig r;
  r.options.segment_bytes = 1 << 20;
  r.must_open();
  constexpr stream_id streams = 30'000;
  for (stream_id s = 1; s <= streams; ++s) r.append(block_item(s, 1, 2, 40));
  r.settle_down();
  for (stream_id s = 1; s <= streams; s += 3) {
    const range second{2, 1};
    r.log->settle(s, {&second, 1});
  }
  std::uint64_t written = 0;
  r.disk.watch([&](const io_op& op) {
    if (op.what != io_op::kind::write) return;
    for (const buffer_ref& piece : op.pieces) written += piece.size();
  });
  REQUIRE(r.log->begin_checkpoint());
  r.log->finish_checkpoint();
  std::uint64_t most = 0;
  int turns = 0;
  while (r.log->checkpoint_running()) {
    written = 0;
    r.log->progress();
    most = std::max(most, written);
    ++turns;
    // Records come meanwhile: their rows are not written, or not twice.
    if (turns <= 3) r.append(block_item(7, 1 + 2 * static_cast<std::uint64_t>(turns), 2, 40));
  }
  CHECK(turns > 6);
  CHECK(most < 600'000);
  r.disk.watch({});
  r.must_open();
  CHECK(r.report.records < 20);
  for (stream_id s = 1; s <= streams; ++s) {
    std::vector<range> gaps;
    const std::vector<block> all = r.read_all(s, 1, &gaps);
    REQUIRE(gaps.empty());
    REQUIRE(all.size() == (s == 7 ? 4 : 1));
    for (const block& b : all) REQUIRE(right(b));
  }
  for (stream_id s = 1; s <= streams; ++s) {
    const range all{1, s == 7 ? 8u : s % 3 == 1 ? 1u : 2u};
    r.log->settle(s, {&all, 1});
  }
  CHECK(r.log->stats().live_bytes == 0);
  CHECK(r.log->stats().index_rows == 0);
}

TEST_CASE("a checkpoint takes effect once the log is durable up to its latest row") {
  rig r;
  r.must_open();
  r.settle_down();
  r.disk.set_auto_complete(false);
  REQUIRE(r.log->begin_checkpoint());
  const ticket last = r.append(block_item(1, 1, 1, 500, level::process));
  r.log->add_checkpoint_rows(body_of(1, 1, 100));  // they may know of it
  r.log->finish_checkpoint();
  bool named = false;
  r.disk.watch([&](const io_op& op) { named |= op.what == io_op::kind::rename; });
  for (int i = 0; i < 100 && !named; ++i) {
    const marks before = r.log->progress();
    r.disk.step(1);
    if (named) CHECK(before.synced >= last);
  }
  CHECK(named);
}

// A checkpoint of version 1 lists rows with bits of their own, and what is gone from one row may be
// live in another.
TEST_CASE("a checkpoint of version 1 is read") {
  checkpoint_header header;
  header.number = 3;
  std::vector<std::byte> file(checkpoint_header_bytes);
  encode_checkpoint_header(header, std::span<std::byte, checkpoint_header_bytes>(file));
  store(&file[8], std::uint32_t{1});
  store(&file[120], checksum(std::span(file).first(120)));
  const auto add_chunk = [&](std::uint32_t kind, const std::vector<std::uint64_t>& words) {
    append_chunk(file, header, file.size(), static_cast<chunk_kind>(kind),
                 {reinterpret_cast<const std::byte*>(words.data()), words.size() * 8});
  };
  add_chunk(3, {5, 10, 101});  // stream 5: floor 10, next 101
  // Messages 1-100 at 8192, of which 20-29 and 40 are gone; 40 was moved to 16384.
  add_chunk(2, {5, 16384, 40, 40, 128, 5, 8192, 1, 100, 10'000});
  const std::uint64_t gone = (0x3ffull << 19) | (1ull << 39);
  add_chunk(4, {1 | (1ull << 32), 0, gone});
  append_chunk(file, header, file.size(), chunk_kind::end, {});
  const auto parsed = parse_checkpoint(file, "checkpoint.000003");
  REQUIRE_MESSAGE(parsed.ok(), parsed.text());
  block_index index([](std::uint64_t, int, std::int64_t) {});
  restore_index(*parsed, index);
  const stream_rows* of = index.find(5);
  REQUIRE(of != nullptr);
  CHECK(of->floor == 10);
  CHECK(of->next == 101);
  CHECK(of->unfinished(10, 101) == 81);
  CHECK(block_index::row_for(*of, 40)->position == 16384);
  CHECK(block_index::row_for(*of, 39)->position == 8192);
  std::vector<range> live;
  index.live_in(5, {1, 100}, 8192, 9000, live);
  CHECK(live == std::vector<range>{{10, 10}, {30, 10}, {41, 60}});
}

}  // namespace
}  // namespace holdfast::testing
