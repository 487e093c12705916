// The small rooms of the device's end, each alone: back-off, control records, tickets, the catalog,
// consumers' turns, hand-offs, leases.
#include <doctest/doctest.h>

#include "base/checksum.hpp"
#include "patterns/catalog.hpp"
#include "patterns/outgoing.hpp"
#include "patterns/queue/consumers.hpp"
#include "patterns/queue/dead_letters.hpp"
#include "patterns/queue/hand_off.hpp"
#include "patterns/queue/leases.hpp"
#include "patterns/records.hpp"
#include "patterns/redelivery.hpp"

using namespace holdfast;

TEST_CASE("back-off doubles from one second to a minute, within 20 percent") {
  random_source random(5);
  const redelivery_options options;
  for (std::uint32_t failed = 1; failed <= 40; ++failed) {
    const std::uint64_t exact =
        std::min<std::uint64_t>(60, 1ull << std::min(failed - 1, 20u)) * second_ns;
    std::uint64_t lowest = never_ns, highest = 0;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t delay = redelivery_delay(options, failed, random);
      lowest = std::min(lowest, delay);
      highest = std::max(highest, delay);
    }
    CHECK(lowest >= exact * 8 / 10);
    CHECK(highest <= exact * 12 / 10);
    CHECK(highest - lowest > exact / 5);  // it does jitter
  }
  CHECK(!given_up(options, 15));
  CHECK(given_up(options, 16));
  CHECK(!given_up({second_ns, second_ns, 0}, 60'000));
  CHECK(redelivery_delay({1, ~std::uint64_t{0} / 2, 0}, 200, random) > second_ns);
}

TEST_CASE("control records come back as they were, and cut short they do not") {
  const instant at{1, 2};
  const std::vector<range> ranges{{1, 2}, {9, 1}};
  const auto sound = [](const append_item& item) {
    return item.head.body_sum == checksum(item.body.bytes());
  };
  const append_item ack = encode_record(4, at, finish::settled, ranges);
  REQUIRE(sound(ack));
  CHECK(ack.head.stream == 4);
  CHECK(ack.head.time_ns == 2);
  CHECK(decode_group_ack(ack.body.bytes())->ranges == ranges);
  CHECK(decode_group_ack(ack.body.bytes())->how == finish::settled);
  const append_item fail =
      encode_record(4, at, group_fail_record{failure::nacked, 3, 77, "busy", ranges});
  REQUIRE(sound(fail));
  const auto f = decode_group_fail(fail.body.bytes());
  CHECK(f->failed == 3);
  CHECK(f->due_real_ns == 77);
  CHECK(f->reason == "busy");
  CHECK(f->ranges == ranges);
  const append_item dead =
      encode_record(4, at, group_dead_record{failure::attempts, 16, "no", ranges});
  CHECK(decode_group_dead(dead.body.bytes())->why == failure::attempts);
  const append_item out = encode_record(4, at, group_handout_record{123});
  CHECK(decode_group_handout(out.body.bytes())->through == 123);
  const append_item stream = encode_record(at, stream_def{7, 2, "c", "a"});
  CHECK(decode_stream_def(stream.body.bytes())->address == "a");
  const append_item who = encode_record(at, producer_def{5, "id", true, 3, {}});
  CHECK(decode_producer_def(who.body.bytes())->epoch == 3);
  const append_item channel = encode_record(at, channel_def{"c", "pipeline"});
  CHECK(decode_channel_def(channel.body.bytes())->pattern == "pipeline");
  for (std::size_t size = 0; size < ack.body.size(); ++size)
    CHECK(!decode_group_ack(ack.body.bytes().first(size)));
  for (std::size_t size = 0; size < fail.body.size(); ++size)
    CHECK(!decode_group_fail(fail.body.bytes().first(size)));
  for (std::size_t size = 0; size < who.body.size(); ++size)
    CHECK(!decode_producer_def(who.body.bytes().first(size)));
}

TEST_CASE("what a channel records of its messages is as durable as they are") {
  for (const level need : {level::process, level::interval, level::disk}) {
    outgoing out(need);
    out.add(encode_record(7, {}, finish::acked, std::vector<range>{{1, 2}}));
    ready asked;
    out.take(asked);
    CHECK(asked.records.at(0).head.need == need);
    out.on_appended(1);
    out.update({1, 1, 0, nullptr});  // written, not synced
    CHECK(out.reached() == (need == level::disk ? 0 : 1));
  }
}

TEST_CASE("ordinals follow tickets, whoever else appends") {
  outgoing out;
  const auto ask = [&](int records) {
    for (int i = 0; i < records; ++i) out.add({});
    ready asked;
    out.take(asked);
    CHECK(asked.records.size() == static_cast<std::size_t>(records));
  };
  marks log;
  ask(3);
  CHECK(out.last() == 3);
  out.on_appended(13);  // ours are 11, 12, 13
  log.written = 12;
  log.synced = 10;
  out.update(log);
  CHECK(out.reached(level::process) == 2);
  CHECK(out.reached(level::disk) == 0);
  ask(2);
  out.on_appended(20);  // ours are 19, 20
  log.written = 18;
  log.synced = 13;
  out.update(log);
  CHECK(out.reached(level::process) == 3);
  CHECK(out.reached(level::disk) == 3);
  log.written = log.synced = 19;
  out.update(log);
  CHECK(out.reached(level::disk) == 4);
  frame_out frame;
  frame.to = 9;
  out.send_after(5, frame);
  out.send_after(4, frame);
  ready asked;
  out.take(asked);
  CHECK(asked.frames.size() == 1);
  log.synced = log.written = 20;
  out.update(log);
  asked.clear();
  out.take(asked);
  CHECK(asked.frames.size() == 1);
}

TEST_CASE("the catalog keeps its numbers across a checkpoint and a replay") {
  catalog names;
  ready out;
  const instant at{1, 2};
  names.define_channel("c", "pipeline", at, out);
  names.define_channel("c", "pipeline", at, out);
  CHECK(out.records.size() == 1);
  CHECK(names.define_stream("c", "a", at, out).stream == 1);
  CHECK(names.define_stream("c", "b", at, out).stream == 2);
  CHECK(names.define_stream("c", "a", at, out).stream == 1);
  CHECK(names.define_stream("d", "a", at, out).stream == 3);
  const std::uint32_t first = names.define_producer("p", true, 1, {}, at, out).number;
  const std::uint32_t second = names.define_producer("q", false, 1, {}, at, out).number;
  CHECK(names.define_producer("p", true, 2, {}, at, out).number == first);
  names.forget_producer(second, at, out);
  const auto same = [&](const catalog& other) {
    CHECK(other.find_stream("d", "a")->stream == 3);
    CHECK(other.find_stream(2)->address == "b");
    CHECK(other.find_stream(9) == nullptr);
    CHECK(other.find_producer("p")->epoch == 2);
    CHECK(other.find_producer("q") == nullptr);
  };
  same(names);
  catalog replayed;
  for (const append_item& item : out.records) {
    const record_view view{item.head, item.body.bytes(), 0};
    replayed.replay({&view, 1});
  }
  same(replayed);
  for (const std::size_t budget : {std::size_t{1}, std::size_t{1} << 20}) {
    state_writer rows;
    while (!names.snapshot(rows, budget)) {
    }
    state_reader reader(rows.bytes());
    catalog restored;
    restored.restore(reader);
    same(restored);
    ready more;
    CHECK(restored.define_producer("new", true, 1, {}, at, more).number == second + 1);
  }
}

TEST_CASE("a stream's number that no device gave is left out") {
  catalog names;
  ready out;
  const stream_def forged{0xffff'fff0, 1, "c", "a"};
  const append_item item = encode_record({1, 2}, forged);
  const record_view view{item.head, item.body.bytes(), 0};
  names.replay({&view, 1});
  CHECK(names.find_stream("c", "a") == nullptr);
  CHECK(names.define_stream("c", "a", {1, 2}, out).stream == 1);
}

TEST_CASE("streams get an epoch they never had where the log has forgotten numbers") {
  const auto raised = [](forgotten_numbers what, level of) {
    catalog names;
    ready out;
    const instant at{1, 2};
    const stream_id stream = names.define_stream("c", "a", at, out).stream;
    names.define_stream("d", "a", at, out);
    out.records.clear();
    names.set_forgotten(what);
    names.raise_epochs("c", of, at, out);
    CHECK(names.find_stream("d", "a")->epoch == 1);
    CHECK(out.records.size() == (names.find_stream(stream)->epoch != 1));
    return names.find_stream(stream)->epoch;
  };
  CHECK(raised({}, level::process) == 1);
  CHECK(raised({7, false}, level::process) == 7);
  CHECK(raised({7, false}, level::interval) == 7);
  CHECK(raised({7, false}, level::disk) == 1);
  CHECK(raised({7, true}, level::disk) == 7);
  CHECK(raised({1, true}, level::disk) == 2);
}

TEST_CASE("whose turn it is: the least loaded, then who waited longest") {
  consumers all;
  const auto make = [&] {
    consumer c;
    c.messages_total = 10;
    c.bytes_total = 100;
    return all.add(c).id;
  };
  const consumer_id a = make(), b = make();
  CHECK(all.able() == 2);
  CHECK(all.next()->id == a);
  all.find(a)->served = all.stamp();
  all.changed(*all.find(a));
  CHECK(all.next()->id == b);
  all.find(b)->in_flight = 1;
  all.changed(*all.find(b));
  CHECK(all.next()->id == a);
  all.find(a)->messages_taken = 10;
  all.changed(*all.find(a));
  CHECK(all.next()->id == b);
  all.find(b)->bytes_taken = 100;
  all.changed(*all.find(b));
  CHECK(all.next() == nullptr);
  all.find(a)->messages_total = 11;
  all.find(a)->stalled = true;
  all.changed(*all.find(a));
  CHECK(all.next() == nullptr);
  all.wake_stalled();
  CHECK(all.next()->id == a);
  all.remove(a);
  CHECK(all.next() == nullptr);
  CHECK(make() == 3);
}

namespace {

std::uint64_t sum(const std::vector<range>& ranges) {
  std::uint64_t n = 0;
  for (const range& r : ranges) n += r.count;
  return n;
}

}  // namespace

TEST_CASE("what a stopped peer's kernel may hold stays in doubt, however many messages it is") {
  plain_peer peer;
  peer.in_doubt_messages = 10;
  peer.in_doubt_bytes_min = 1000;
  hand_off h(peer);
  std::vector<range> doubt, settled;
  h.delivered({1, 300}, 3000);
  h.report({0, 100, 300, false}, 0, doubt, settled);
  CHECK(settled.empty());  // 90 beyond the number, none beyond the bytes
  h.report({0, 130, 300, false}, 0, doubt, settled);
  CHECK(settled == std::vector<range>{{1, 30}});
  CHECK(h.in_doubt() == 100);
  h.delivered({301, 5}, 50'000);  // the number is what bounds large ones
  h.report({0, 305, 305, false}, 0, doubt, settled);
  CHECK(h.in_doubt() == 10);
}

TEST_CASE("hand-off n settles hand-off n - limit, in messages and in bytes") {
  plain_peer peer;
  peer.in_doubt_messages = 10;
  peer.in_doubt_bytes = 1000;
  hand_off h(peer);
  std::vector<range> doubt, settled;
  h.delivered({1, 20}, 200);
  h.report({0, 8, 100, false}, 0, doubt, settled);
  CHECK(doubt == std::vector<range>{{1, 8}});
  CHECK(settled.empty());
  h.report({0, 8, 100, false}, 0, doubt, settled);  // the same again
  CHECK(sum(doubt) == 8);
  h.report({0, 15, 100, false}, 0, doubt, settled);
  CHECK(settled == std::vector<range>{{1, 5}});
  CHECK(h.in_doubt() == 10);
  settled.clear();
  h.delivered({21, 1}, 5000);  // bigger than the limit in bytes: passes, alone in doubt
  h.report({0, 21, 100, false}, 0, doubt, settled);
  CHECK(h.in_doubt() == 1);
  CHECK(settled.front().first == 6);
  CHECK(sum(settled) == 15);
  settled.clear();
  h.report({0, 21, 100, true}, 5, doubt, settled);
  CHECK(h.next_deadline() == 5 + peer.settle_idle_ns);
  h.on_tick(4 + peer.settle_idle_ns, settled);
  CHECK(settled.empty());
  h.on_tick(5 + peer.settle_idle_ns, settled);
  CHECK(settled == std::vector<range>{{21, 1}});
  CHECK(h.next_deadline() == never_ns);
}

TEST_CASE("idleness is interrupted by a hand-off and by unsent bytes") {
  hand_off h{plain_peer{}};
  std::vector<range> doubt, settled;
  h.delivered({1, 4}, 40);
  h.report({0, 2, 100, true}, 1, doubt, settled);
  CHECK(h.next_deadline() == never_ns);  // two are not handed yet
  h.report({0, 4, 100, true}, 10, doubt, settled);
  CHECK(h.next_deadline() == 10 + 30 * second_ns);
  h.report({0, 4, 100, true}, 20, doubt, settled);
  CHECK(h.next_deadline() == 10 + 30 * second_ns);
  h.report({0, 4, 100, false}, 30, doubt, settled);
  CHECK(h.next_deadline() == never_ns);
  h.report({0, 4, 100, true}, 40, doubt, settled);
  CHECK(h.next_deadline() == 40 + 30 * second_ns);
}

TEST_CASE("leases end in time, and what was acked leaves no deadline behind") {
  leases l;
  hold h;
  h.owner = 1;
  h.until_ns = 100;
  l.grant(1, 11, h);
  h.until_ns = 200;
  l.grant(11, 21, h);
  CHECK(l.next_deadline() == 100);
  const auto all = [](const hold&) { return true; };
  const auto nothing = [](std::uint64_t, std::uint64_t, const hold&) {};
  l.carve(1, 6, all, nothing);
  CHECK(l.next_deadline() == 100);
  l.change(6, 9, 1, [](hold& one, std::uint64_t) { one.until_ns = 300; });
  std::vector<range> ended;
  l.expire(150, [&](std::uint64_t first, std::uint64_t end, const hold&) {
    ended.push_back({first, end - first});
  });
  CHECK(ended == std::vector<range>{{9, 2}});
  l.carve(11, 21, all, nothing);
  CHECK(l.next_deadline() == 300);
  l.carve(6, 9, all, nothing);
  CHECK(l.next_deadline() == never_ns);
}

TEST_CASE("deadlines take memory for what is held, not for what passed") {
  leases l;
  hold stuck;
  stuck.owner = 1;
  stuck.until_ns = 1;
  l.grant(1, 2, stuck);
  for (std::uint64_t at = 2; at < 100'000; ++at) {
    hold h;
    h.owner = 1;
    h.until_ns = 1000 + at;
    l.grant(at, at + 1, h);
    l.carve(
        at, at + 1, [](const hold&) { return true; },
        [](std::uint64_t, std::uint64_t, const hold&) {});
  }
  CHECK(l.deadlines() <= 2048);
}

TEST_CASE("a run that dies message by message is one row") {
  dead_letters d;
  for (std::uint64_t at = 1; at < 100; ++at) d.add({{at, 1}, failure::attempts, 16, 5, "x"});
  d.add({{100, 1}, failure::rejected, 0, 5, "x"});
  CHECK(d.all().size() == 2);
  CHECK(d.all().front().messages == range{1, 99});
}
