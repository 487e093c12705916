// The engine's rules, without a socket: durable before visible, order per peer, runs cut at entry
// boundaries, settle once durable, checkpoints in slices.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "devices/loop/engine.hpp"
#include "devices/loop/plain_packer.hpp"
#include "patterns/frame_codec.hpp"
#include "tests/devices/loop_fakes.hpp"

using namespace holdfast;
using namespace holdfast::testing;

namespace {

bytes_view view(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}

struct fixture {
  memory_log journal;
  catalog names;
  memory_outlet out;
  memory_checkpoints checkpoints;
  engine core{journal, names, out, &checkpoints, 64};
  scripted_pattern* machine = nullptr;
  std::uint64_t now = 1;
  std::uint64_t next_sequence = 1;

  fixture() {
    auto made = std::make_unique<scripted_pattern>();
    machine = made.get();
    core.add_channel("work", std::move(made));
    core.start({now, now});
  }
  void turn() {
    core.begin({++now, now});
    core.end();
  }
  void write_all(bool sync = true) {
    journal.now.written = journal.now.appended;
    if (sync) journal.now.synced = journal.now.appended;
  }
  static append_item record() {
    append_item item;
    item.head.type = record_type::group_ack;
    return item;
  }
  static frame_out frame(peer_id to, std::uint32_t after, std::string_view head,
                         level need = level::disk) {
    frame_out f;
    f.to = to;
    f.after = after;
    f.need = need;
    f.head.assign(view(head));
    return f;
  }
  /// A block of stream 1 straight into the log.
  buffer_ref block(std::uint16_t count, bool first_void = false) {
    block_packer packer;
    for (std::uint16_t i = 0; i < count; ++i) {
      const std::string text = "message " + std::to_string(next_sequence + i);
      const bytes_view part = view(text);
      if (i == 0 && first_void)
        packer.add_void(0);
      else
        packer.add(std::span(&part, 1), 0);
    }
    sealed_block sealed = packer.seal();
    append_item item;
    item.head.type = record_type::block;
    item.head.stream = 1;
    item.head.first_sequence = next_sequence;
    item.head.count = count;
    item.head.body_sum = sealed.body_sum;
    item.body = sealed.body;
    next_sequence += count;
    journal.append(std::span(&item, 1));
    return sealed.body;
  }
  frame_out delivery(peer_id to, run what, frame_form form = frame_form::hfp) {
    frame_out f;
    f.to = to;
    f.form = form;
    what.stream = 1;
    what.reach = std::max(what.reach, what.count);
    if (form != frame_form::plain) {
      deliver d;
      d.stream = 1;
      encode(f.head, 9, d);
    }
    f.body = what;
    return f;
  }
  deliver head_of(std::size_t i) {
    const auto d = decode_deliver(out.frames.at(i).head);
    REQUIRE(d.ok());
    return *d;
  }
};

run of(std::uint64_t first, std::uint32_t count, std::uint64_t bytes = 1 << 20) {
  run r;
  r.first = first;
  r.count = count;
  r.bytes = bytes;
  r.token = 42;
  return r;
}

std::string text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a frame leaves when its records are durable at its level, not before") {
  fixture f;
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.frames.push_back(f.frame(1, 1, "disk"));
  f.machine->wanted.frames.push_back(f.frame(2, 2, "written", level::process));
  f.machine->wanted.frames.push_back(f.frame(3, 0, "at once"));
  f.turn();
  CHECK(f.machine->tickets == std::vector<ticket>{2});
  REQUIRE(f.out.frames.size() == 1);
  CHECK(text(f.out.frames[0].head) == "at once");
  f.journal.now.written = 2;
  f.turn();
  REQUIRE(f.out.frames.size() == 2);
  CHECK(text(f.out.frames[1].head) == "written");
  f.journal.now.synced = 1;
  f.turn();
  REQUIRE(f.out.frames.size() == 3);
  CHECK(text(f.out.frames[2].head) == "disk");
  CHECK(f.core.held() == 0);
}

TEST_CASE("a waiting frame holds later ones to the same peer, never to others") {
  fixture f;
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.frames.push_back(f.frame(1, 1, "first"));
  f.machine->wanted.frames.push_back(f.frame(1, 0, "second"));
  f.machine->wanted.frames.push_back(f.frame(2, 0, "other"));
  f.turn();
  REQUIRE(f.out.frames.size() == 1);
  CHECK(f.out.frames[0].to == 2);
  f.machine->wanted.frames.push_back(f.frame(1, 0, "third"));
  f.turn();
  CHECK(f.out.frames.size() == 1);
  f.write_all();
  f.turn();
  REQUIRE(f.out.frames.size() == 4);
  CHECK(text(f.out.frames[1].head) == "first");
  CHECK(text(f.out.frames[2].head) == "second");
  CHECK(text(f.out.frames[3].head) == "third");
}

TEST_CASE("many frames held and released keep their order") {
  fixture f;
  std::string expected, got;
  for (int i = 0; i < 500; ++i) {
    f.machine->wanted.records.push_back(f.record());
    f.machine->wanted.frames.push_back(f.frame(1, 1, std::to_string(i) + ","));
    expected += std::to_string(i) + ",";
    f.turn();
    if (i % 3 == 0) f.journal.now.synced = f.journal.now.written = f.journal.now.appended - 1;
  }
  f.write_all();
  f.turn();
  for (const sent_frame& s : f.out.frames) got += text(s.head);
  CHECK(got == expected);
}

TEST_CASE("frames for a lost peer are dropped, its pattern is told") {
  fixture f;
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.frames.push_back(f.frame(1, 1, "never"));
  f.machine->wanted.frames.push_back(f.frame(2, 1, "still"));
  f.turn();
  f.core.begin({++f.now, f.now});
  f.core.on_peer_lost(0, 1);
  f.core.end();
  f.write_all();
  f.turn();
  CHECK(f.machine->lost == std::vector<peer_id>{1});
  REQUIRE(f.out.frames.size() == 1);
  CHECK(text(f.out.frames[0].head) == "still");
}

TEST_CASE("a whole block is delivered as the very buffer, with the producer's sum") {
  fixture f;
  const buffer_ref body = f.block(10);
  f.machine->wanted.frames.push_back(f.delivery(5, of(1, 10)));
  f.turn();
  REQUIRE(f.out.frames.size() == 1);
  CHECK(f.out.frames[0].body.data() == body.data());
  const deliver d = f.head_of(0);
  CHECK(d.whole);
  CHECK(d.first_sequence == 1);
  CHECK(d.count == 10);
  CHECK(d.body_sum == f.journal.items[0].head.body_sum);
  REQUIRE(f.machine->cuts.size() == 1);
  CHECK(f.machine->cuts[0].token == 42);
  CHECK(f.machine->cuts[0].count == 10);
  CHECK(f.machine->cuts[0].bytes == body.size());
}

TEST_CASE("a run is cut at entry boundaries and spans blocks") {
  fixture f;
  f.block(4);
  f.block(4);
  f.machine->wanted.frames.push_back(f.delivery(5, of(3, 4)));
  f.turn();
  REQUIRE(f.out.frames.size() == 2);
  CHECK(f.head_of(0).first_sequence == 3);
  CHECK(f.head_of(0).count == 2);
  CHECK_FALSE(f.head_of(0).whole);
  CHECK(f.head_of(1).first_sequence == 5);
  CHECK(f.head_of(1).count == 2);
  entry_walker walker(f.out.frames[1].body.bytes());
  entry e;
  REQUIRE(walker.next(e));
  CHECK(e.sum_holds());
  CHECK(std::string(reinterpret_cast<const char*>(e.data.data()), e.data.size()) == "message 5");
  CHECK(f.machine->cuts.at(0).count == 4);
}

TEST_CASE("bytes limit a run, but one message always passes") {
  fixture f;
  f.block(4);
  f.machine->wanted.frames.push_back(f.delivery(5, of(1, 4, 1)));
  f.turn();
  CHECK(f.machine->cuts.at(0).count == 1);
  f.machine->wanted.frames.push_back(f.delivery(5, of(2, 3, 60)));
  f.turn();
  CHECK(f.machine->cuts.at(1).count == 2);
  CHECK(f.machine->cuts.at(1).bytes <= 60);
}

TEST_CASE("a batch consumer's run ends at a block's end, never beyond its reach") {
  fixture f;
  f.block(4);
  f.block(4);
  run r = of(1, 5);
  r.whole_blocks = true;
  r.reach = 8;
  f.machine->wanted.frames.push_back(f.delivery(5, r));
  f.turn();
  CHECK(f.machine->cuts.at(0).count == 8);
  r.reach = 7;
  f.machine->wanted.frames.push_back(f.delivery(5, r));
  f.turn();
  CHECK(f.machine->cuts.at(1).count == 5);
}

TEST_CASE("a run that is still being loaded waits, and what follows to its peer with it") {
  fixture f;
  f.block(2);
  f.journal.loading = true;
  f.machine->wanted.frames.push_back(f.delivery(5, of(1, 2)));
  f.machine->wanted.frames.push_back(f.frame(5, 0, "after"));
  f.turn();
  CHECK(f.out.frames.empty());
  CHECK(f.machine->cuts.empty());
  f.journal.loading = false;
  f.turn();
  REQUIRE(f.out.frames.size() == 2);
  CHECK(text(f.out.frames[1].head) == "after");
}

TEST_CASE("a run that waited does not leave once its taker is gone") {
  fixture f;
  f.block(2);
  f.machine->wanted.records.push_back(f.record());
  frame_out waits = f.delivery(5, of(1, 2));
  waits.after = 1;
  f.machine->wanted.frames.push_back(std::move(waits));
  f.turn();
  f.machine->gone = of(1, 2).token;
  f.journal.now.written = f.journal.now.synced = f.journal.now.appended;
  f.turn();
  CHECK(f.out.frames.empty());
  REQUIRE(f.machine->cuts.size() == 1);
  CHECK(f.machine->cuts[0].count == 0);
  CHECK(f.core.held() == 0);
}

TEST_CASE("what cannot be read is reported, exactly, within the run's reach") {
  fixture f;
  f.block(2);
  f.block(2);
  f.journal.hole = {3, 100};
  f.machine->wanted.frames.push_back(f.delivery(5, of(1, 4)));
  f.turn();
  REQUIRE(f.machine->cuts.size() == 1);
  CHECK(f.machine->cuts[0].count == 2);
  CHECK(f.machine->cuts[0].missing.count == 0);
  f.machine->wanted.frames.push_back(f.delivery(5, of(3, 2)));
  f.turn();
  CHECK(f.machine->cuts.at(1).count == 0);
  CHECK(f.machine->cuts.at(1).missing == range{3, 2});
}

TEST_CASE("simple and plain peers get entries, voids are taken but not sent") {
  fixture f;
  f.block(3, true);
  f.machine->wanted.frames.push_back(f.delivery(5, of(1, 3), frame_form::simple));
  f.machine->wanted.frames.push_back(f.delivery(6, of(1, 3), frame_form::plain));
  f.turn();
  REQUIRE(f.out.simple.size() == 2);
  const auto one = decode_deliver_simple(f.out.simple[0].second);
  REQUIRE(one.ok());
  CHECK(one->sequence == 2);
  REQUIRE(f.out.plain.size() == 1);
  CHECK(f.out.plain[0].second.count == 3);
  CHECK_FALSE(f.out.plain[0].second.with_id);
  CHECK(f.machine->cuts.at(0).count == 3);
  CHECK(f.machine->cuts.at(1).count == 3);
}

TEST_CASE("finished messages are settled once their records are synced, neighbours together") {
  fixture f;
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.settled.emplace_back(1, range{1, 2});
  f.machine->wanted.settled.emplace_back(1, range{3, 1});
  f.turn();
  f.journal.now.written = 1;
  f.turn();
  CHECK(f.journal.settled.empty());
  f.write_all();
  f.turn();
  REQUIRE(f.journal.settled.size() == 1);
  CHECK(f.journal.settled[0].second == range{1, 3});
}

// The log frees space by what it is told: were that early, a crash would bring back messages whose
// bytes are gone.
TEST_CASE("messages are settled in order, each once the last record of its ready is synced") {
  fixture f;
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.settled.emplace_back(1, range{1, 1});
  f.turn();
  f.machine->wanted.records.push_back(f.record());
  f.machine->wanted.settled.emplace_back(1, range{2, 1});
  f.turn();
  f.journal.now.written = 3;
  f.journal.now.synced = 1;
  f.turn();
  CHECK(f.journal.settled.empty());
  f.journal.now.synced = 2;
  f.turn();
  REQUIRE(f.journal.settled.size() == 1);
  CHECK(f.journal.settled[0].second == range{1, 1});
  f.write_all();
  f.turn();
  REQUIRE(f.journal.settled.size() == 2);
  CHECK(f.journal.settled[1].second == range{2, 1});
}

TEST_CASE("a stream is trimmed once the record that says so is synced") {
  fixture f;
  for (const std::uint64_t to : {5, 8}) {
    f.machine->wanted.records.push_back(f.record());
    f.machine->wanted.trimmed.emplace_back(1, to);
    f.turn();
  }
  f.write_all(false);
  f.turn();
  CHECK(f.journal.trimmed.empty());
  using trims = std::vector<std::pair<stream_id, std::uint64_t>>;
  f.journal.now.synced = 1;
  f.turn();
  CHECK(f.journal.trimmed == trims{{1, 5}});
  f.write_all();
  f.turn();
  CHECK(f.journal.trimmed == trims{{1, 5}, {1, 8}});
}

TEST_CASE("a checkpoint is written in slices and restores what was written") {
  fixture f;
  for (int i = 0; i < 20; ++i) f.machine->rows.push_back("row " + std::to_string(i));
  f.checkpoints.wanted = true;
  f.turn();
  CHECK(f.core.checkpoint_writing());
  CHECK(f.core.next_deadline() == 0);
  for (int i = 0; i < 100 && !f.checkpoints.finished; ++i) f.turn();
  REQUIRE(f.checkpoints.finished);
  CHECK(f.checkpoints.slices > 2);
  CHECK_FALSE(f.core.checkpoint_writing());
  fixture again;
  again.core.restore(f.checkpoints.rows);
  REQUIRE(again.machine->restored.size() == 20);
  CHECK(again.machine->restored[19] == "row 19");
}

TEST_CASE("patterns are stepped when marks move or their deadline is due") {
  fixture f;
  f.turn();
  const std::uint64_t before = f.machine->ticks;
  f.turn();
  CHECK(f.machine->ticks == before);
  f.machine->deadline = f.now + 1;
  CHECK(f.core.next_deadline() == f.now + 1);
  f.turn();
  CHECK(f.machine->ticks == before + 1);
  f.machine->deadline = never_ns;
  f.machine->wanted.records.push_back(f.record());
  f.turn();
  f.write_all(false);
  f.turn();
  CHECK(f.machine->ticks == before + 2);
}

TEST_CASE("room that comes after a turn's messages is told until the next turn's") {
  fixture f;
  f.journal.left.message_bytes = 0;
  f.turn();
  CHECK_FALSE(f.core.room_grew());
  f.core.begin({++f.now, f.now});
  f.journal.left.message_bytes = 1000;
  f.journal.now.written = f.journal.now.appended;
  f.core.end();
  CHECK(f.core.room_grew());
  f.core.begin({++f.now, f.now});
  CHECK_FALSE(f.core.room_grew());
  CHECK(f.core.available().message_bytes == 1000);
  f.core.end();
  CHECK_FALSE(f.core.room_grew());
}

TEST_CASE("packer: a turn's messages become few blocks, in order and exact") {
  plain_packer packer;
  packer.set_stream(3);
  const std::string big(200'000, 'b');
  std::uint64_t bytes = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string small = std::to_string(i);
    const bytes_view parts[] = {view(small), view("")};
    packer.add(parts, small.size(), 1);
    bytes += small.size();
  }
  const bytes_view large = view(big);
  packer.add(std::span(&large, 1), big.size(), 1);
  CHECK(packer.held_messages() == 5001);
  CHECK(packer.held_bytes() == bytes + big.size());
  int next = 0;
  for (const plain_block& b : packer.take()) {
    CHECK(b.stream == 3);
    CHECK(walk(b.body.bytes(), b.count, b.props_mask, 1 << 30).ok);
    entry_walker walker(b.body.bytes());
    for (entry e; walker.next(e); ++next) {
      if (next == 5000) {
        CHECK(e.data.size() == big.size());
      } else {
        CHECK(e.parts() == 2);
        const bytes_view part = e.part(0);
        CHECK(std::string(reinterpret_cast<const char*>(part.data()), part.size()) ==
              std::to_string(next));
      }
    }
  }
  CHECK(next == 5001);
  packer.clear();
  CHECK(packer.take().empty());
}
