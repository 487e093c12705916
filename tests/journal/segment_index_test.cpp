// Index files: what they say is what a walk over the records says; and whatever becomes of them,
// the journal knows after an opening what it knew before.
#include "journal/segment_index.hpp"

#include <doctest/doctest.h>

#include <set>

#include "journal/checkpoint_file.hpp"
#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

struct placed_record {
  record_head head;
  std::uint64_t position = 0;
};

// A segment's bytes, made of random records; a stretch of them may be damaged.
struct sample {
  explicit sample(std::uint64_t seed) : random(seed) {
    header.base = 1 << 20;
    header.size = 1 << 20;
    header.epoch = 5;
    header.slot = 3;
    bytes.resize(header.size);
    const std::uint64_t key = segment_key(header.journal_id, header.epoch);
    std::uint64_t at = records_at;
    while (at + 3000 < header.size) {
      record_header made;
      made.head.type = random.chance(10) ? record_type::group_ack : record_type::block;
      made.head.stream = static_cast<stream_id>(1 + random.below(20) * 7);
      std::uint64_t& next = nexts[made.head.stream];
      if (random.chance(3)) next += 5;
      made.head.count = static_cast<std::uint16_t>(1 + random.below(9));
      made.head.first_sequence = next + 1;
      made.head.time_ns = 1000 + at + random.below(70'000);  // a clock that jumps about
      made.body_len = static_cast<std::uint32_t>(random.below(random.chance(3) ? 2800 : 300));
      encode_record_header(
          made, key, header.base + at,
          std::span<std::byte, record_header_bytes>(&bytes[at], record_header_bytes));
      records.push_back({made.head, header.base + at});
      if (made.head.type == record_type::block) next += made.head.count;
      at += record_size(made.body_len);
    }
    end = header.base + at;
  }
  buffer_ref index(std::uint64_t window) {
    segment_scan scan(header, end);
    while (!scan.done())
      scan.take(bytes_view(bytes).subspan(scan.position() - header.base,
                                          std::min(window, end - scan.position())));
    return scan.encode();
  }
  random_source random;
  segment_header header;
  std::vector<std::byte> bytes;
  std::uint64_t end = 0;
  std::vector<placed_record> records;
  std::map<stream_id, std::uint64_t> nexts;
};

TEST_CASE("an index says what a walk over the records says") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    sample s(seed);
    const buffer_ref made = s.index(4096 + s.random.below(200'000));
    const auto view = segment_index_view::of(made.bytes(), s.header, s.end);
    REQUIRE(view.has_value());
    std::size_t blocks = 0;
    for (const auto& [stream, last] : s.nexts) {
      std::vector<std::uint64_t> want, got;
      for (const placed_record& r : s.records)
        if (r.head.type == record_type::block && r.head.stream == stream)
          want.push_back(r.position);
      std::uint64_t messages = 0;
      for (std::uint32_t i = view->first_of(stream);
           i < view->runs() && view->run(i).stream == stream; ++i) {
        const segment_run run = view->run(i);
        CHECK(run.position == view->posting(run.postings));
        for (std::uint32_t p = run.postings; p < run.postings_end; ++p)
          got.push_back(view->posting(p));
        messages += run.span;
        CHECK(run.first + run.span <= last + 1);
      }
      CHECK(got == want);
      CHECK(messages <= last);
      blocks += want.size();
    }
    CHECK(view->first_of(2) == view->first_of(8));  // stream 2 is not there
    CHECK(blocks > 1000);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t time = 1000 + s.random.below(s.header.size + 80'000);
      const std::uint64_t from = view->position_at(time);
      for (const placed_record& r : s.records)
        if (r.head.time_ns >= time) REQUIRE(r.position >= from);
      // Not much is read for nothing.
      std::uint64_t latest = 0;
      for (const placed_record& r : s.records) {
        if (r.position >= from + 2 * index_step_every) break;
        latest = std::max(latest, r.head.time_ns);
      }
      CHECK((latest >= time || from + 2 * index_step_every >= s.end));
    }
  }
}

TEST_CASE("an index that is damaged, or of another segment, is none") {
  sample s(1);
  const buffer_ref made = s.index(1 << 20);
  std::vector<std::byte> file(made.bytes().begin(), made.bytes().end());
  const auto good = [&] { return segment_index_view::of(file, s.header, s.end).has_value(); };
  REQUIRE(good());
  for (std::size_t bit = 0; bit < file.size() * 8; bit += bit < 2000 ? 1 : 211) {
    const std::byte flip{static_cast<unsigned char>(1u << (bit % 8))};
    file[bit / 8] ^= flip;
    const bool unused = bit / 8 >= 68 && bit / 8 < 72;
    if (!unused) REQUIRE(!good());
    file[bit / 8] ^= flip;
  }
  CHECK(!segment_index_view::of(file, s.header, s.end - 16));
  for (std::uint64_t segment_header::*field : {&segment_header::epoch, &segment_header::base}) {
    segment_header other = s.header;
    other.*field += 4096;
    CHECK(!segment_index_view::of(file, other, s.end));
  }
  segment_header other = s.header;
  other.slot += 1;
  CHECK(!segment_index_view::of(file, other, s.end));
  other = s.header;
  other.journal_id[3] = std::byte{9};
  CHECK(!segment_index_view::of(file, other, s.end));
  for (std::size_t size = 0; size < file.size(); size += 97)
    CHECK(!segment_index_view::of(bytes_view(file).first(size), s.header, s.end));
}

// Several streams over many segments, with holes in what is finished; closed or dropped.
struct long_journal {
  explicit long_journal(std::uint64_t seed) : random(seed) {
    r.options.segment_bytes = 16 << 10;
    r.options.tail_bytes = 3000;
    r.must_open();
    for (int i = 0; i < 300; ++i) {
      const auto stream = static_cast<stream_id>(1 + random.below(5));
      std::uint64_t& last = lasts[stream];
      r.append(block_item(stream, last + 1, 3, 600));
      last += 3;
    }
    r.settle_down();
    for (const auto& [stream, last] : lasts)
      for (std::uint64_t n = 1; n <= last; ++n) {
        if (!random.chance(30)) continue;  // few enough for nothing to be moved
        const range one{n, 1};
        r.log->settle(stream, {&one, 1});
        finished[stream].push_back(n);
      }
    for (int i = 0; i < 40; ++i) r.settle_down();
    r.checkpoint({});
    r.checkpoint({});
    r.settle_down();
    before = r.log->stats();
  }
  std::vector<std::string> index_files() {
    std::vector<std::string> found;
    for (const std::string& name : r.disk.names())
      if (index_slot(name) >= 0) found.push_back(name);
    return found;
  }
  void reopen_and_check() {
    r.must_open();
    std::map<stream_id, std::vector<block>> all;
    for (const auto& [stream, last] : lasts) all[stream] = r.read_all(stream, 1);
    for (int i = 0; i < 60; ++i) r.settle_down();
    const journal_stats now = r.log->stats();
    std::uint64_t live = 0;
    for (const auto& [stream, last] : lasts) live += last - finished[stream].size();
    CHECK(before.live_bytes == live * (record_size(600) / 3));
    CHECK(now.live_bytes == before.live_bytes);
    CHECK(now.index_rows == before.index_rows);
    for (const auto& [stream, last] : lasts) {
      std::set<std::uint64_t> there;
      for (const block& b : all[stream]) {
        REQUIRE(right(b));
        for (std::uint64_t n = b.first; n < b.first + b.count; ++n) there.insert(n);
      }
      for (const std::uint64_t n : finished[stream]) there.insert(n);
      CHECK(there.size() == last);
    }
    // All is finished: nothing is held any more.
    for (const auto& [stream, last] : lasts) r.log->trim(stream, last + 1);
    CHECK(r.log->stats().live_bytes == 0);
    CHECK(r.log->stats().index_rows == 0);
  }
  random_source random;
  rig r;
  std::map<stream_id, std::uint64_t> lasts;
  std::map<stream_id, std::vector<std::uint64_t>> finished;
  journal_stats before;
};

TEST_CASE("after an opening the index is what it was, with index files or without") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    long_journal j(seed);
    const std::vector<std::string> files = j.index_files();
    REQUIRE(files.size() > 5);
    for (const std::string& name : files) {
      const std::uint64_t how = seed <= 3 ? 0 : j.random.below(4);
      const std::size_t size = j.r.disk.content(name).size();
      const std::vector<std::byte> rot(1, std::byte{0x5a});
      if (how == 1) j.r.disk.remove_file(name);
      if (how == 2) j.r.disk.damage(name, j.random.below(size), rot);
      if (how == 3) j.r.disk.truncate(name, j.random.below(size));
    }
    j.reopen_and_check();
  }
}

TEST_CASE("a checkpoint does not list what index files say") {
  long_journal j(1);
  std::vector<std::byte> file;
  for (const std::string& name : j.r.disk.names())
    if (checkpoint_number(name) >= 0) file = j.r.disk.content(name);
  const auto parsed = parse_checkpoint(file, "it");
  REQUIRE(parsed.ok());
  CHECK(parsed->indexed.size() > 5);
  CHECK(parsed->rows.size() <= 5);  // those of the segment in use
  CHECK(j.before.index_rows > 20);
}

TEST_CASE("a segment of which a part cannot be read is kept") {
  long_journal j(2);
  for (const std::string& name : j.index_files()) j.r.disk.remove_file(name);
  const std::uint64_t segments = j.before.segments;
  j.r.log.reset();
  auto opened = open_journal(j.r.disk.mount(), j.r.options, j.r.report);
  REQUIRE(opened.ok());
  j.r.log = std::move(opened).value();
  REQUIRE(j.r.log->replay([](std::span<const record_view>) {}).ok());
  j.r.disk.fail_load(2, 5);
  for (int i = 0; i < 60; ++i) j.r.settle_down();
  for (const auto& [stream, last] : j.lasts) j.r.log->trim(stream, last + 1);
  for (int i = 0; i < 3; ++i) {
    j.r.append(control_item(record_type::trim, 1));
    j.r.checkpoint({});
    j.r.settle_down();
  }
  CHECK(j.r.log->stats().segments < segments);
  CHECK(j.r.log->stats().segments == 2);  // the one in use, and that one
}

virtual_disk_options by_hand() {
  virtual_disk_options options;
  options.auto_complete = false;
  return options;
}

// On a disk that is driven by hand: turns until nothing moves.
void run(rig& r) {
  do r.log->progress();
  while (r.disk.step(1000) != 0);
}

// Segments behind two checkpoints, without index files, opened on a disk that is driven by hand.
struct unindexed {
  unindexed() : r(by_hand()) {
    r.options.segment_bytes = 16 << 10;
    r.must_open();
    for (std::uint64_t i = 1; i <= last; ++i) {
      r.append(block_item(1, i, 1, 1000));
      run(r);
    }
    for (int i = 0; i < 2; ++i) {
      REQUIRE(r.log->begin_checkpoint());
      r.log->finish_checkpoint();
      run(r);
    }
    r.log.reset();
    for (const std::string& name : r.disk.names())
      if (name.ends_with(".idx")) r.disk.remove_file(name);
    r.must_open();
  }
  static constexpr std::uint64_t last = 80;
  rig r;
};

TEST_CASE("an index whose segment is freed while it is written troubles nobody") {
  for (int steps = 0; steps < 40; ++steps) {
    unindexed j;
    for (int i = 0; i < steps; ++i) {
      j.r.disk.step();
      j.r.log->progress();
    }
    j.r.log->trim(1, unindexed::last + 1);
    j.r.log->progress();
    run(j.r);
    CAPTURE(steps);
    for (const std::string& said : j.r.log->take_troubles()) FAIL_CHECK(said);
  }
}

TEST_CASE("a segment that is freed while it is gone through for its index troubles nobody") {
  rig r(by_hand());
  r.options.segment_bytes = 16 << 10;
  r.must_open();
  const auto append = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i <= to; ++i) {
      r.append(block_item(1, i, 1, 1000));
      run(r);
    }
  };
  append(1, 80);
  r.disk.hold_loads(true);  // from here on what is sealed waits for its index
  append(81, 100);
  const std::uint64_t segments = r.log->stats().segments;
  REQUIRE(r.disk.waiting() == 1);
  r.log->trim(1, 101);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(r.log->begin_checkpoint());
    r.log->finish_checkpoint();
    run(r);
  }
  REQUIRE(r.log->stats().segments < segments);
  r.disk.hold_loads(false);
  run(r);
  for (const std::string& said : r.log->take_troubles()) FAIL_CHECK(said);
}

}  // namespace
}  // namespace holdfast::testing
