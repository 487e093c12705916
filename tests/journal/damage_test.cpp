// Bit rot: whatever byte of a journal changes, exactly the record hit is missing and reported, its
// neighbours are there, and no wrong byte is ever handed out.
#include <doctest/doctest.h>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

struct small_journal {
  small_journal() {
    r.options.segment_bytes = 16 << 10;
    r.options.reserve_segments = 0;
    r.must_open();
    r.settle_down();
    for (std::uint64_t i = 1; i <= 12; ++i)
      r.append(block_item(1 + i % 2, (i + 1) / 2, 1, 20 + i * 13));
    r.settle_down();
    r.now_ns += 10 * ms_ns;
    r.settle_down();  // the idle watermark proves them all
    r.must_open();
    places = r.records;
    r.log.reset();
  }
  rig r;
  std::vector<replayed> places;
};

// Reading meets a gap of exactly the message that was hit.
void check_gap(journal& log, const replayed& hit, bool in_body) {
  std::vector<block> out;
  std::vector<std::uint64_t> sequences;
  std::vector<range> gaps;
  for (std::uint64_t from = 1; from <= 6;) {
    out.clear();
    const fetched f = log.read(hit.head.stream, from, {1, 1}, out);
    if (f.outcome == fetch::pending) {
      log.progress();
    } else if (f.outcome == fetch::gap) {
      gaps.push_back(f.missing);
      from = f.missing.end();
    } else {
      REQUIRE(f.outcome == fetch::ok);
      REQUIRE(right(out[0]));
      sequences.push_back(out[0].first);
      from = out.back().first + 1;
    }
    // Without a header the last of a stream leaves nothing that shows what is missing.
    if (!in_body && hit.head.first_sequence == 6 && from == 6) return;
  }
  CHECK(sequences.size() == 5);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0] == range{hit.head.first_sequence, 1});
}

TEST_CASE("a flipped byte costs exactly its record") {
  small_journal j;
  REQUIRE(j.places.size() == 12);
  const std::string name = "seg/000000.seg";
  const std::vector<std::byte> clean = j.r.disk.content(name);
  const std::uint64_t end = j.places.back().position + record_size(j.places.back().size);
  for (std::uint64_t at = 0; at < end; at += at < records_at - 64 ? 61 : 1) {
    rig one;
    one.options = j.r.options;
    one.options.clock = [] { return instant{1, 1}; };
    const auto copy = j.r.disk.clone(at + 1);
    const std::byte flipped[1] = {clean[at] ^ std::byte{0x10}};
    copy->damage(name, at, flipped);
    open_report report;
    auto opened = open_journal(copy->mount(), one.options, report);
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    std::vector<std::uint64_t> got;
    std::vector<range> lost;
    bool exact = true;
    REQUIRE((*opened)
                ->replay([&](std::span<const record_view> batch) {
                  for (const record_view& v : batch) {
                    if (v.lost) {
                      lost.push_back({v.head.first_sequence, v.head.count});
                      continue;
                    }
                    got.push_back(v.position);
                    exact &= right(v);
                  }
                })
                .ok());
    REQUIRE(exact);
    // Which record was hit, if any: header or body, not padding.
    const replayed* hit = nullptr;
    for (const replayed& p : j.places)
      if (at >= p.position && at < p.position + record_header_bytes + p.size) hit = &p;
    std::vector<std::uint64_t> want;
    for (const replayed& p : j.places)
      if (&p != hit) want.push_back(p.position);
    REQUIRE_MESSAGE(got == want, "byte " << at);
    if (!hit) continue;
    REQUIRE(report.damaged.size() == 1);
    const damage& d = report.damaged[0];
    CHECK(d.position == hit->position);
    CHECK(d.size == record_size(hit->size));
    const bool in_body = at >= hit->position + record_header_bytes;
    CHECK(d.what == (in_body ? damage_kind::body : damage_kind::header));
    if (in_body) CHECK(d.messages == range{hit->head.first_sequence, 1});
    CHECK(lost == (in_body ? std::vector<range>{d.messages} : std::vector<range>{}));
    check_gap(**opened, *hit, in_body);
  }
}

TEST_CASE("damage that happens while the journal is open is found at the first read") {
  rig r;
  r.options.tail_bytes = 0;
  r.must_open();
  for (std::uint64_t i = 1; i <= 9; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();
  const std::byte bad[1] = {std::byte{0x55}};
  const std::uint64_t first = records_at + record_size(gap_body_bytes);
  r.disk.damage("seg/000000.seg", first + 3 * record_size(1000) + 500, bad);  // body of 4
  r.disk.damage("seg/000000.seg", first + 6 * record_size(1000) + 20, bad);   // header of 7
  std::vector<range> gaps;
  const auto all = r.read_all(1, 1, &gaps);
  CHECK(all.size() == 7);
  for (const block& b : all) CHECK(right(b));
  REQUIRE(gaps.size() == 2);
  CHECK(gaps[0] == range{4, 1});
  CHECK(gaps[1] == range{7, 1});
}

TEST_CASE(
    "one rotten copy of a segment's header loses nothing; both are made good by the checkpoint") {
  small_journal j;
  rig& r = j.r;
  r.must_open();
  r.checkpoint({});
  r.log.reset();
  const std::vector<std::byte> rot(64, std::byte{0x33});
  r.disk.damage("seg/000000.seg", 0, rot);
  r.must_open();
  CHECK(r.read_all(1, 1).size() == 6);
  r.disk.damage("seg/000000.seg", segment_header_copy_at, rot);
  r.must_open();
  CHECK(r.read_all(1, 1).size() == 6);
}

TEST_CASE("a lost segment is a gap, not the end") {
  rig r;
  r.options.segment_bytes = 16 << 10;
  r.must_open();
  for (std::uint64_t i = 1; i <= 60; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();
  r.now_ns += 10 * ms_ns;
  r.settle_down();
  r.log.reset();
  std::vector<std::string> segments;
  for (const std::string& name : r.disk.names())
    if (name.starts_with("seg/") && name.ends_with(".seg")) segments.push_back(name);
  SUBCASE("the first") {
    r.disk.remove_file(segments[0]);
  }
  SUBCASE("the second") {
    r.disk.remove_file(segments[1]);
  }
  r.must_open();
  REQUIRE(!r.report.damaged.empty());
  CHECK(r.report.damaged[0].what == damage_kind::segment);
  std::vector<range> gaps;
  const auto all = r.read_all(1, 1, &gaps);
  REQUIRE(gaps.size() == 1);
  CHECK(all.size() + gaps[0].count == 60);
  CHECK(all.back().first == 60);
}

TEST_CASE("nothing readable is never taken for nothing there") {
  rig r;
  r.must_open();
  r.append(block_item(1, 1, 1, 100));
  r.settle_down();
  r.log.reset();
  const std::vector<std::byte> rot(4000, std::byte{0x33});
  r.disk.damage("seg/000000.seg", 0, rot);
  const status opened = r.open();
  CHECK(opened.kind() == errc::corrupt);
  CHECK(!r.disk.content("seg/000000.seg").empty());
}

TEST_CASE("readable records behind the cut are reported as possibly accepted") {
  rig r;
  r.must_open();
  r.settle_down();
  for (std::uint64_t i = 1; i <= 3; ++i) r.append(block_item(1, i, 1, 1000));
  r.settle_down();  // synced, but no later record says so
  r.log.reset();
  const std::byte bad[1] = {std::byte{0x55}};
  const std::uint64_t first = records_at + record_size(gap_body_bytes);
  r.disk.damage("seg/000000.seg", first + record_size(1000) + 500, bad);
  r.must_open();
  CHECK(r.report.torn);
  CHECK(r.records.size() == 1);
  REQUIRE(r.report.possibly.size() == 1);
  CHECK(r.report.possibly[0].messages == range{3, 1});
  CHECK(r.report.cut_bytes == 2 * record_size(1000));
}

}  // namespace
}  // namespace holdfast::testing
