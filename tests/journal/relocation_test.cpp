// Segments with little in them are drained: one message held for ever pins nothing, and whatever
// is lost when, every live message is where the index says.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t segment = 16 << 10;
constexpr std::size_t message_bytes = 100;

// A block whose messages are cut apart by number.
std::vector<std::byte> packed(stream_id stream, std::uint64_t first, std::uint64_t count) {
  std::vector<std::byte> all;
  for (std::uint64_t n = first; n < first + count; ++n) {
    const std::vector<std::byte> one = body_of(stream, n, message_bytes);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

append_item packed_item(stream_id stream, std::uint64_t first, std::uint16_t count) {
  const std::vector<std::byte> body = packed(stream, first, count);
  append_item item = block_item(stream, first, count, 0);
  item.head.body_sum = checksum(body);
  item.head.producer = 7;
  item.head.producer_number = first;
  item.body = copy_to_buffer(body);
  return item;
}

bytes_view cut(bytes_view body, std::uint32_t skip, std::uint32_t count) {
  return body.subspan(skip * message_bytes, count * message_bytes);
}

bool exact(const block& b) {
  const std::vector<std::byte> want = packed(b.stream, b.first, b.count);
  return b.producer_number == b.first &&
         std::equal(want.begin(), want.end(), b.body.bytes().begin(), b.body.bytes().end());
}

bool exact(const record_view& r) {
  if (r.head.type != record_type::block) return right(r);
  const std::vector<std::byte> want = packed(r.head.stream, r.head.first_sequence, r.head.count);
  return std::equal(want.begin(), want.end(), r.body.begin(), r.body.end());
}

// Streams whose messages are finished in any order. What is finished is said by a record, as acks
// are, and once that is durable to the journal.
class world {
 public:
  explicit world(std::uint64_t seed) : random(seed), r(disk_of(seed)) {
    r.options.segment_bytes = segment;
    r.options.tail_bytes = random.below(3) * 10'000;
    r.options.checkpoint_bytes = 3 * segment;
    if (!random.chance(20)) r.options.cut_block = cut;
  }

  void open() {
    r.log.reset();
    auto opened = open_journal(r.disk.mount(), r.options, r.report);
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    r.log = std::move(opened).value();
    const bytes_view rows = r.log->checkpoint_rows();
    std::vector<ended> all(rows.size() / sizeof(ended));
    if (!all.empty()) std::memcpy(all.data(), rows.data(), all.size() * sizeof(ended));
    std::map<stream_id, std::uint64_t> last;
    for (const ended& e : all)
      if (e.count == 0) last[static_cast<stream_id>(e.stream)] = e.first;
    bool fine = true;
    REQUIRE(r.log
                ->replay([&](std::span<const record_view> batch) {
                  for (const record_view& v : batch) {
                    fine &= exact(v);
                    if (v.head.type == record_type::block)
                      last[v.head.stream] = v.head.first_sequence + v.head.count - 1;
                    else
                      all.push_back({v.head.stream, v.head.first_sequence, v.head.producer_number});
                  }
                })
                .ok());
    REQUIRE(fine);
    REQUIRE(r.report.damaged.empty());
    take_over(all, last);
  }

  void append() {
    const auto stream = static_cast<stream_id>(1 + random.below(3));
    const auto count = static_cast<std::uint16_t>(1 + random.below(20));
    std::uint64_t& last = lasts[stream];
    append_item item = packed_item(stream, last + 1, count);
    r.log->append({&item, 1});
    for (int i = 0; i < count; ++i) live[stream].insert(++last);
  }
  /// Finishes a part of what is live; `share` of 100 of it stays.
  void finish_some(std::uint32_t share) {
    for (auto& [stream, messages] : live) {
      std::vector<range> gone;
      for (const std::uint64_t n : messages)
        if (!random.chance(share)) gone.push_back({n, 1});
      for (const range& what : gone) {
        say_finished(stream, what);
        messages.erase(what.first);
      }
    }
  }
  void turn() {
    r.now_ns += 20 * ms_ns;
    const marks at = r.log->progress();
    while (!waiting.empty() && waiting.front().number <= at.synced) {
      const finished& next = waiting.front();
      r.log->settle(next.stream, {&next.what, 1});
      durable.push_back({next.stream, next.what.first, next.what.count});
      waiting.erase(waiting.begin());
    }
    if (r.log->checkpoint_due() && r.log->begin_checkpoint()) {
      std::vector<ended> rows = said;
      for (const auto& [stream, last] : lasts) rows.push_back({stream, last, 0});
      r.log->add_checkpoint_rows(
          {reinterpret_cast<const std::byte*>(rows.data()), rows.size() * sizeof(ended)});
      r.log->finish_checkpoint();
    }
  }
  void quiet() {
    for (int i = 0; i < 400; ++i) {
      turn();
      if (i % 40 == 39) {
        append_item item = block_item(9, 1, 0, 40);  // something new, so that checkpoints are made
        item.head.type = record_type::group_ack;
        item.head.producer_number = 1;
        said.push_back({9, item.head.first_sequence, 1});
        r.log->append({&item, 1});
        r.now_ns += 11 * second_ns;
      }
    }
  }
  /// Every live message can be read, exactly.
  void check_live() {
    for (const auto& row : live) {
      const stream_id stream = row.first;
      for (const std::uint64_t n : row.second) {
        std::vector<block> out;
        fetched got{fetch::pending, {}};
        for (int i = 0; got.outcome == fetch::pending && i < 1000; ++i) {
          got = r.log->read(stream, n, {1, 1}, out);
          if (got.outcome == fetch::pending) turn();
        }
        CAPTURE(stream);
        CAPTURE(n);
        REQUIRE(got.outcome == fetch::ok);
        REQUIRE(out.at(0).first <= n);
        REQUIRE(out.at(0).first + out.at(0).count > n);
        REQUIRE(exact(out.at(0)));
      }
    }
  }
  std::uint64_t live_count() const {
    std::uint64_t count = 0;
    for (const auto& [stream, messages] : live) count += messages.size();
    return count;
  }

  random_source random;
  rig r;

 private:
  struct ended {
    std::uint64_t stream = 0, first = 0, count = 0;  // count 0: `first` is the stream's last
  };
  struct finished {
    ticket number = 0;
    stream_id stream = 0;
    range what;
  };
  static virtual_disk_options disk_of(std::uint64_t seed) {
    virtual_disk_options options;
    options.seed = seed;
    return options;
  }
  void say_finished(stream_id stream, range what) {
    append_item item = block_item(stream, what.first, 0, 40);
    item.head.type = record_type::group_ack;
    item.head.producer_number = what.count;
    said.push_back({stream, what.first, what.count});
    waiting.push_back({r.log->append({&item, 1}), stream, what});
  }
  void take_over(const std::vector<ended>& all, const std::map<stream_id, std::uint64_t>& last) {
    // What was accepted is there still.
    for (const ended& e : durable)
      REQUIRE(std::any_of(all.begin(), all.end(), [&](const ended& x) {
        return x.stream == e.stream && x.first == e.first && x.count == e.count;
      }));
    waiting.clear();
    live.clear();
    lasts = last;
    said.clear();
    for (const auto& [stream, to] : last)
      for (std::uint64_t n = 1; n <= to; ++n) live[stream].insert(n);
    for (const ended& e : all) {
      if (e.count == 0) continue;
      said.push_back(e);
      const range what{e.first, e.count};
      const auto stream = static_cast<stream_id>(e.stream);
      for (int twice = 0; twice < 2; ++twice) r.log->settle(stream, {&what, 1});
      live[stream].erase(e.first);
    }
    durable = said;
  }
  std::map<stream_id, std::set<std::uint64_t>> live;
  std::map<stream_id, std::uint64_t> lasts;
  std::vector<ended> said, durable;
  std::vector<finished> waiting;
};

std::uint64_t seeds(std::uint64_t usual) {
  const char* more = std::getenv("HOLDFAST_SEEDS");
  return more ? std::strtoull(more, nullptr, 10) : usual;
}

// One message of `every` is held for ever, the others are finished at once. The most segments that
// were held beyond what formats allow, in bytes, at any moment.
std::uint64_t most_beyond_live(rig& r, std::uint64_t every, std::uint64_t messages) {
  r.options.segment_bytes = segment;
  r.options.tail_bytes = 4000;
  r.options.checkpoint_bytes = segment;
  r.must_open();
  std::uint64_t most = 0;
  for (std::uint64_t n = 1; n <= messages; ++n) {
    r.append(block_item(1, n, 1, 900));
    r.settle_down();
    const range done{n, 1};
    if (n % every != 1) r.log->settle(1, {&done, 1});
    r.now_ns += 20 * ms_ns;
    if (r.log->checkpoint_due()) r.checkpoint({});
    const std::uint64_t live = (n / every + 1) * record_size(900);
    const std::uint64_t held = r.log->stats().disk_bytes;
    most = std::max(most, held - std::min(held, 2 * live + 3 * (64 << 10)));
  }
  return most;
}

TEST_CASE("messages held for ever pin nothing while twenty times the journal flows past") {
  for (const std::uint64_t every : {1'000'000, 100, 20}) {
    CAPTURE(every);
    rig r;
    const std::uint64_t messages = 4000;  // 4 MiB
    CHECK(most_beyond_live(r, every, messages) <= 8 * segment);
    if (every != 1'000'000) CHECK(r.log->stats().relocated > 0);
    for (std::uint64_t n = 1; n <= messages; n += every) {
      std::vector<block> out;
      fetched got{fetch::pending, {}};
      for (; got.outcome == fetch::pending; r.settle_down()) got = r.log->read(1, n, {1, 1}, out);
      REQUIRE(got.outcome == fetch::ok);
      REQUIRE(out.at(0).first == n);
      REQUIRE(right(out[0]));
    }
  }
}

TEST_CASE("a message that moves can be read at every step") {
  rig r;
  const std::uint64_t every = 20;
  most_beyond_live(r, every, 600);
  r.disk.set_auto_complete(false);
  const std::uint64_t moved = r.log->stats().relocated;
  for (std::uint64_t n = 601; n < 1200; ++n) {
    r.append(block_item(1, n, 1, 900));
    r.now_ns += 20 * ms_ns;
    for (int i = 0; i < 12; ++i) {
      r.disk.step(1);
      const marks at = r.log->progress();
      const range done{n - 20, 1};
      if (i == 0 && done.first % every != 1 && at.synced > 21) r.log->settle(1, {&done, 1});
      std::vector<block> out;
      const fetched got = r.log->read(1, 1 + every * (n % 29), {1, 1}, out);
      REQUIRE(got.outcome != fetch::gap);
      REQUIRE(got.outcome != fetch::end);
    }
    if (r.log->checkpoint_due() && r.log->begin_checkpoint()) r.log->finish_checkpoint();
  }
  CHECK(r.log->stats().relocated > moved + 10);
}

TEST_CASE("space follows what is live, in any order of finishing") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    world w(seed);
    w.r.options.cut_block = cut;
    w.open();
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 60; ++i) {
        w.append();
        w.turn();
      }
      w.finish_some(8);
    }
    w.quiet();
    w.check_live();
    const journal_stats now = w.r.log->stats();
    CHECK(now.relocated > 0);
    // A live message's bytes beside the header of its record.
    const std::uint64_t live = w.live_count() * (message_bytes + record_header_bytes + 16);
    CHECK(now.disk_bytes <= 2 * live + 8 * segment + 3 * (1 << 20));
    CHECK(now.segments * segment <= 2 * live + 8 * segment);
  }
}

// Several lives with crashes anywhere.
void lives(std::uint64_t seed) {
  world w(seed);
  w.open();
  const bool faults = seed % 3 == 0;  // then power alone: see crash_test.cpp
  for (int life = 0; life < 4; ++life) {
    w.r.disk.set_auto_complete(false);
    for (int i = static_cast<int>(w.random.below(300)); i > 0; --i) {
      if (w.random.chance(40)) w.append();
      if (w.random.chance(4)) w.finish_some(static_cast<std::uint32_t>(w.random.below(40)));
      if (faults && w.random.chance(2)) w.r.disk.fail_sync(1 + w.random.below(3), 5);
      if (faults && w.random.chance(2)) w.r.disk.fail_write(1 + w.random.below(3), 5);
      w.r.disk.step(w.random.below(12));
      w.turn();
    }
    const bool power = faults || w.random.chance(50);
    w.r.disk.crash(power ? crash_mode::power : crash_mode::process);
    w.r.disk.set_auto_complete(true);
    w.open();
    w.check_live();
    if (w.random.chance(50)) {
      w.quiet();
      w.check_live();
    }
  }
}

TEST_CASE("every live message survives crashes while segments are drained") {
  const std::uint64_t count = seeds(120);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    CAPTURE(seed);
    lives(5000 + seed);
  }
  lives(5392);  // the checkpoint lists the old place, and later moves of the same row are replayed
  lives(5583);  // finished ones of a row lie behind later ones that are live
}

TEST_CASE("what was moved is found where it lies, also where a commit was filled up behind it") {
  rig r;
  r.options.segment_bytes = 16 * segment;
  r.options.tail_bytes = 0;
  r.options.checkpoint_bytes = segment;
  r.options.sync_bytes = 9000;
  r.must_open();
  constexpr std::uint64_t count = 400, kept = 10;  // every tenth stays, and is a commit
  for (std::uint64_t n = 1; n <= count; ++n) r.append(block_item(1, n, 1, 9100));
  r.settle_down();
  for (std::uint64_t n = 1; n <= count; n += kept) {
    const range done{n, kept - 1};
    r.log->settle(1, {&done, 1});
  }
  for (int i = 0; i < 400; ++i) {
    r.now_ns += 100 * ms_ns;
    r.settle_down();
    if (r.log->checkpoint_due()) r.checkpoint({});
  }
  CHECK(r.log->stats().relocated > 20);
  for (std::uint64_t n = kept; n <= count; n += kept) {
    std::vector<block> out;
    fetched got{fetch::pending, {}};
    for (int i = 0; got.outcome == fetch::pending && i < 100; ++i) {
      got = r.log->read(1, n, {1, 1}, out);
      r.settle_down();
    }
    REQUIRE_MESSAGE(got.outcome == fetch::ok, "message ", n);
    REQUIRE(out.at(0).first == n);
    REQUIRE(right(out.at(0)));
  }
}

TEST_CASE("a segment in which something cannot be read is left as it is") {
  rig r;
  r.options.segment_bytes = segment;
  r.options.tail_bytes = 0;
  r.options.checkpoint_bytes = segment;
  r.must_open();
  for (std::uint64_t n = 1; n <= 200; ++n) r.append(block_item(1, n, 1, 900));
  r.settle_down();
  // A bit of message 3 rots; 3 and 5 are held, all else is finished.
  const std::vector<std::byte> rot(1, std::byte{0x55});
  r.disk.damage("seg/000000.seg", records_at + 64 + 32 + 2 * 976 + 500, rot);
  for (const range done : {range{1, 2}, range{4, 1}, range{6, 195}}) r.log->settle(1, {&done, 1});
  for (int i = 0; i < 200; ++i) {
    r.append(control_item(record_type::group_ack, 1, 300));
    r.settle_down();
    r.now_ns += 100 * ms_ns;
    if (r.log->checkpoint_due()) r.checkpoint({});
  }
  const std::vector<std::string> names = r.disk.names();
  CHECK(std::find(names.begin(), names.end(), "seg/000000.seg") != names.end());
  std::vector<range> gaps;
  std::vector<block> out;
  fetched got{fetch::pending, {}};
  for (int i = 0; got.outcome == fetch::pending && i < 100; ++i) {
    got = r.log->read(1, 3, {1, 1}, out);
    r.settle_down();
  }
  CHECK(got.outcome == fetch::gap);
  CHECK(got.missing == range{3, 1});
  got = {fetch::pending, {}};
  for (int i = 0; got.outcome == fetch::pending && i < 100; ++i) {
    got = r.log->read(1, 5, {1, 1}, out);
    r.settle_down();
  }
  REQUIRE(got.outcome == fetch::ok);
  CHECK(right(out.at(0)));
}

}  // namespace
}  // namespace holdfast::testing
