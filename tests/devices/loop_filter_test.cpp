// Filtered runs and envelopes, without a socket: what leaves, what counts as taken, where it stops.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "devices/loop/block_walker.hpp"
#include "devices/loop/engine.hpp"
#include "tests/devices/loop_fakes.hpp"

using namespace holdfast;
using namespace holdfast::testing;

namespace {

struct world {
  memory_log journal;
  block_walker walker;
  std::uint64_t next = 1;

  /// One message a topic, "-" = a void entry.
  buffer_ref block(const std::vector<std::string>& topics, std::uint64_t time_ns = 0,
                   const std::string& second = {}) {
    block_packer packer;
    for (const std::string& topic : topics) {
      const bytes_view parts[] = {as_bytes_view(topic.data(), topic.size()),
                                  as_bytes_view(second.data(), second.size())};
      if (topic == "-")
        packer.add_void(time_ns);
      else
        packer.add(std::span(parts, second.empty() ? 1 : 2), time_ns);
    }
    const sealed_block sealed = packer.seal();
    append_item item;
    item.head.type = record_type::block;
    item.head.stream = 1;
    item.head.first_sequence = next;
    item.head.count = sealed.count;
    item.head.time_ns = time_ns;
    item.head.body_sum = sealed.body_sum;
    item.body = sealed.body;
    next += sealed.count;
    journal.append(std::span(&item, 1));
    return sealed.body;
  }
  run wanting(std::vector<std::string> prefixes, std::uint64_t first = 1,
              std::uint32_t count = 1000, std::uint64_t bytes = 1 << 20) const {
    run r;
    r.stream = 1;
    r.first = first;
    r.count = count;
    r.bytes = bytes;
    r.reach = static_cast<std::uint32_t>(next - first);
    r.filter = std::make_shared<topic_filter>(std::move(prefixes));
    return r;
  }
};

/// The entries of a piece: each topic, "-" for a void one. Every sum must hold.
std::string topics(const piece& of) {
  std::string all;
  entry_walker walker(of.body.bytes());
  entry e;
  std::uint32_t count = 0;
  for (; walker.next(e); ++count) {
    CHECK(e.sum_holds());
    const bytes_view first = e.part(0);
    all +=
        e.voided() ? "-" : std::string(reinterpret_cast<const char*>(first.data()), first.size());
  }
  CHECK(walker.ok());
  CHECK(count == of.count);
  return all;
}

void expect_cut(const block_walker& w, std::uint32_t count, std::uint32_t sent,
                std::uint64_t last) {
  CHECK(w.outcome().count == count);
  CHECK(w.outcome().sent == sent);
  CHECK(w.outcome().last_sent == last);
}

}  // namespace

TEST_CASE("a block that matches whole leaves as it came") {
  world w;
  const buffer_ref body = w.block({"a", "a", "ab"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"})));
  REQUIRE(w.walker.pieces().size() == 1);
  const piece& got = w.walker.pieces()[0];
  CHECK(got.whole);
  CHECK(got.body.data() == body.data());
  CHECK(got.body_sum == w.journal.items[0].head.body_sum);
  expect_cut(w.walker, 3, 3, 3);
}

TEST_CASE("entries between two matches become void, those around them are cut off") {
  world w;
  const buffer_ref body = w.block({"x", "a", "x", "x", "a", "x"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"})));
  REQUIRE(w.walker.pieces().size() == 1);
  const piece& got = w.walker.pieces()[0];
  CHECK_FALSE(got.whole);
  CHECK(got.first == 2);
  CHECK(topics(got) == "a--a");
  expect_cut(w.walker, 6, 2, 5);
  CHECK(w.walker.outcome().bytes == got.body.size());
}

TEST_CASE("without dense sequences only matches are in the body") {
  world w;
  w.block({"x", "a", "x", "b", "a", "x"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a", "b"}), false));
  CHECK(topics(w.walker.pieces()[0]) == "aba");
  expect_cut(w.walker, 6, 3, 5);
}

TEST_CASE("matches side by side are a slice of the block") {
  world w;
  const buffer_ref body = w.block({"x", "a", "a", "x"}, 0, "second");
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"})));
  const piece& got = w.walker.pieces()[0];
  CHECK(got.body.data() > body.data());
  CHECK(got.body.data() < body.data() + body.size());
  CHECK(topics(got) == "aa");
}

TEST_CASE("blocks without a match are passed over, and counted as taken") {
  world w;
  w.block({"x", "x"});
  w.block({"x", "a"});
  w.block({"x"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"})));
  REQUIRE(w.walker.pieces().size() == 1);
  CHECK(w.walker.pieces()[0].first == 4);
  expect_cut(w.walker, 5, 1, 4);
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"nothing"})));
  CHECK(w.walker.pieces().empty());
  expect_cut(w.walker, 5, 0, 0);
}

TEST_CASE("count and bytes bound what leaves; it stops before the next match") {
  world w;
  w.block({"x", "a", "x", "a", "x", "a"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"}, 1, 2)));
  CHECK(topics(w.walker.pieces()[0]) == "a-a");
  expect_cut(w.walker, 5, 2, 4);
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"}, 1, 100, 20)));
  CHECK(topics(w.walker.pieces()[0]) == "a");
  expect_cut(w.walker, 3, 1, 2);
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"}, 1, 100, 1)));
  expect_cut(w.walker, 3, 1, 2);  // the first passes whatever its bytes
  run whole = w.wanting({"a"}, 1, 1);
  whole.whole_blocks = true;
  REQUIRE(w.walker.resolve(w.journal, whole));
  expect_cut(w.walker, 6, 3, 6);
}

TEST_CASE("void entries cost credit: where they use it up, no other block leaves") {
  world w;
  w.block({"a", "x", "x", "x", "a"});
  w.block({"a", "a"});
  run r = w.wanting({"a"}, 1, 5);
  for (const bool whole : {false, true}) {
    r.whole_blocks = whole;
    REQUIRE(w.walker.resolve(w.journal, r));
    REQUIRE(w.walker.pieces().size() == 1);
    CHECK(topics(w.walker.pieces()[0]) == "a---a");
    expect_cut(w.walker, 5, 2, 5);
  }
}

TEST_CASE("a run begins and ends within blocks, never beyond its reach") {
  world w;
  w.block({"a", "a", "a", "a"});
  w.block({"a", "a"});
  run r = w.wanting({"a"}, 2);
  r.count = 2;
  r.reach = 4;
  REQUIRE(w.walker.resolve(w.journal, r));
  expect_cut(w.walker, 2, 2, 3);
  r.count = 4;
  REQUIRE(w.walker.resolve(w.journal, r));
  REQUIRE(w.walker.pieces().size() == 2);
  expect_cut(w.walker, 4, 4, 5);
}

TEST_CASE("void entries match nothing") {
  world w;
  w.block({"a", "-", "a"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({""})));
  CHECK(topics(w.walker.pieces()[0]) == "a-a");
  expect_cut(w.walker, 3, 2, 3);
}

TEST_CASE("blocks the device took before since_ns are passed over") {
  world w;
  w.block({"a", "a"}, 10);
  w.block({"a", "b"}, 20);
  run r = w.wanting({""});
  r.filter = nullptr;
  r.since_ns = 20;
  REQUIRE(w.walker.resolve(w.journal, r));
  REQUIRE(w.walker.pieces().size() == 1);
  CHECK(w.walker.pieces()[0].whole);
  expect_cut(w.walker, 4, 2, 4);
}

TEST_CASE("one call looks through a bounded number of blocks") {
  world w;
  for (int i = 0; i < 100; ++i) w.block({"x"});
  REQUIRE(w.walker.resolve(w.journal, w.wanting({"a"})));
  expect_cut(w.walker, block_walker::scan_blocks, 0, 0);
  CHECK(w.walker.looked_at() == block_walker::scan_blocks);
}

TEST_CASE("enveloped: the envelope's parts, then the message's without those that stay") {
  memory_log journal;
  catalog names;
  memory_outlet out;
  engine core(journal, names, out, nullptr);
  auto made = std::make_unique<scripted_pattern>();
  scripted_pattern& machine = *made;
  core.add_channel("ask", std::move(made));
  core.start({1, 1});
  block_packer packer;
  const auto view = [](std::string_view text) { return as_bytes_view(text.data(), text.size()); };
  const bytes_view parts[] = {view("head"), view("question"), view("")};
  packer.add(parts, 0);
  append_item item;
  item.head.type = record_type::block;
  item.head.stream = 1;
  item.head.first_sequence = item.head.count = 1;
  item.body = packer.seal().body;
  journal.append(std::span(&item, 1));
  frame_out frame;
  frame.to = 7;
  frame.form = frame_form::enveloped;
  frame.envelope = make_envelope({view("id"), view("")});
  machine.wanted.frames.push_back(frame);
  run what;
  what.stream = 1;
  what.first = what.count = what.reach = 1;
  what.bytes = 1;
  what.skip_parts = 1;
  frame.body = what;
  machine.wanted.frames.push_back(frame);
  core.begin({2, 2});
  core.end();
  REQUIRE(out.raw.size() == 2);
  CHECK(out.raw[0].first == 7);
  CHECK(out.raw[0].second == std::vector<std::string>{"id", ""});
  CHECK(out.raw[1].second == std::vector<std::string>{"id", "", "question", ""});
  REQUIRE(machine.cuts.size() == 1);
  CHECK(machine.cuts[0].sent == 1);
}
