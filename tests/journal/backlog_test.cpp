// The journal reads back from its segments: a place is found in few loads, and however many read,
// wherever that is, each gets on.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

// Turns and reads of `stream` from `from` until something came; 0 if nothing did.
std::size_t turns_until_read(rig& r, stream_id stream, std::uint64_t from) {
  std::vector<block> got;
  for (std::size_t turn = 1; turn <= 200; ++turn) {
    if (r.log->read(stream, from, {1, 1}, got).outcome == fetch::ok) return turn;
    r.log->progress();
  }
  return 0;
}

TEST_CASE("a reader that was fed from memory finds its place on the disk at once") {
  rig r;
  r.options.segment_bytes = 64 << 20;
  r.options.tail_bytes = 0;
  r.must_open();
  for (std::uint64_t i = 1; i <= 50; ++i) r.append(block_item(1, i, 1, 1 << 20));
  r.settle_down();
  CHECK(turns_until_read(r, 1, 1) > 0);  // sequential reading stands there
  const std::size_t turns = turns_until_read(r, 1, 45);
  CHECK(turns > 0);
  CHECK(turns <= 20);
}

// Small blocks of one message each.
void append_blocks(rig& r, stream_id stream, range messages) {
  for (std::uint64_t i = messages.first; i < messages.end(); ++i)
    r.append(block_item(stream, i, 1, 2'000));
}

void open_with_segments_of(rig& r, std::uint32_t bytes) {
  r.options.segment_bytes = bytes;
  r.options.tail_bytes = 0;
  r.must_open();
}

// One segment of 68 MB.
void fill_segment(rig& r) {
  open_with_segments_of(r, 80 << 20);
  append_blocks(r, 1, {1, 34'000});
  r.settle_down();
}

TEST_CASE("a place behind much that is finished is found in few loads") {
  rig r;
  fill_segment(r);
  const range finished{1, 33'000};
  r.log->settle(1, {&finished, 1});
  const std::uint64_t before = r.log->stats().loads;
  CHECK(turns_until_read(r, 1, 33'500) > 0);
  CHECK(r.log->stats().loads - before <= 20);
}

// Turns until every place of `waiting` was read, each asking in every turn; 0 if that never comes.
int turns_until_all_read(rig& r, std::vector<std::uint64_t> waiting) {
  for (int turn = 1; turn <= 2'000; ++turn) {
    std::erase_if(waiting, [&](std::uint64_t from) {
      std::vector<block> got;
      if (r.log->read(1, from, {1, 1}, got).outcome != fetch::ok) return false;
      CHECK(got[0].first == from);
      CHECK(right(got[0]));
      return true;
    });
    if (waiting.empty()) return turn;
    r.log->progress();
  }
  return 0;
}

std::vector<std::uint64_t> places(std::size_t count, std::uint64_t apart) {
  std::vector<std::uint64_t> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = 1 + apart * i;
  return made;
}

TEST_CASE("more readers at places far apart than windows all get on") {
  rig r;
  fill_segment(r);
  CHECK(turns_until_all_read(r, places(200, 170)) > 0);
}

TEST_CASE("readers of one segment get on after a restart, when nobody knows yet where what lies") {
  rig r;
  fill_segment(r);
  r.must_open();
  r.settle_down();
  CHECK(turns_until_all_read(r, places(20, 1'600)) > 0);
}

TEST_CASE("the next block of a stream is found, however much of others lies between") {
  rig r;
  open_with_segments_of(r, 160 << 20);
  append_blocks(r, 2, {1, 1});
  append_blocks(r, 1, {1, 40'000});
  append_blocks(r, 2, {2, 1});
  r.settle_down();
  CHECK(turns_until_read(r, 2, 2) > 0);
}

TEST_CASE("more readers than windows all get on") {
  constexpr stream_id readers = 150;
  rig r;
  r.options.tail_bytes = 0;
  r.must_open();
  for (stream_id s = 1; s <= readers; ++s) r.append(block_item(s, 1, 1, 40'000));
  r.settle_down();
  std::vector<stream_id> waiting(readers);
  std::iota(waiting.begin(), waiting.end(), stream_id{1});
  for (int turn = 0; turn < 50 && !waiting.empty(); ++turn) {
    std::erase_if(waiting, [&](stream_id s) {
      std::vector<block> got;
      return r.log->read(s, 1, {1, 1}, got).outcome == fetch::ok;
    });
    r.log->progress();
  }
  CHECK(waiting.empty());
}

}  // namespace
}  // namespace holdfast::testing
