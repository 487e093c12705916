// Every verdict of every checker, seen to fall once.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <set>

#include "sim/judge.hpp"
#include "sim/scheduler.hpp"

using namespace holdfast::sim;

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t second = 1000 * ms;

terms rules(promise level = promise::disk) {
  terms t;
  t.largest_message = 512;
  t.interval_ns = 50 * ms;
  t.one_consumer = true;
  t.level = {level, level, level};
  return t;
}

/// Two messages in a queue, two published, one request, and who may see them.
struct court {
  story told;
  judge judged;
  message_key a{1, 0, 1}, b{1, 0, 2};    // of a queue
  message_key x{20, 0, 1}, y{20, 0, 2};  // published
  message_key question{40, 0, 1};

  explicit court(terms t = rules()) : judged(t, told) {
    judged.sent(a, channel_kind::pipeline, 1);
    judged.sent(b, channel_kind::pipeline, 2);
  }
  void get(const message_key& key, place where, std::uint64_t left = 10, std::uint64_t now = 11,
           bool again = false) {
    judged.delivered(from_queue(where, left, now, again), make_message(key, 512));
  }
  static delivery from_queue(place where, std::uint64_t left, std::uint64_t now, bool again) {
    delivery d;
    d.who = "w";
    d.where = where;
    d.left_ns = left;
    d.now_ns = now;
    d.session = 1;
    d.again = again;
    return d;
  }
  void publish() {
    judged.attached({7, "", true, false, {1, 1, 1}, 3}, "s");
    for (const message_key& key : {x, y}) {
      judged.sent(key, channel_kind::pubsub, 4);
      judged.accepted(key, promise::disk, promise::disk, 5, 5);
    }
  }
  void show(const message_key& key, std::uint64_t sequence, std::uint64_t left = 10) {
    delivery d = from_queue({1, 1, sequence}, left, left + 1, false);
    d.channel = channel_kind::pubsub;
    d.subscription = 7;
    judged.delivered(d, make_message(key, 512));
  }
  void ask(std::uint64_t deadline = 0) { judged.sent(question, channel_kind::reqrep, 4, deadline); }
  void execute(std::uint64_t left, std::uint64_t left_real = 0) {
    delivery d = from_queue({2, 1, 1}, left, left + 1, true);
    d.channel = channel_kind::reqrep;
    d.left_real_ns = left_real;
    judged.delivered(d, make_message(question, 512));
  }
  void answer_with(std::uint16_t status, bool exact = true, std::uint64_t real_max = 0) {
    answer got;
    got.request = question;
    got.status = status;
    got.exact = exact;
    got.real_max_ns = real_max;
    judged.answered(got, "r");
  }
  void frame(bool to_device, std::uint8_t type, std::uint64_t figure, std::uint8_t flags = 0) {
    std::array<std::byte, 48> head{std::byte{'H'}, std::byte{'F'}, std::byte{1}, std::byte{type}};
    if (to_device) {
      head[12] = std::byte{flags};
      std::memcpy(head.data() + 16, &figure, 8);
    } else {
      std::memcpy(head.data() + 12, &figure, 2);
    }
    judged.frame({1, to_device, head.data(), head.size(), 9});
  }
  bool said(const char* checker) const {
    INFO(judged.by(), ": ", judged.why());
    return judged.by() == checker;
  }
};

}  // namespace

TEST_CASE_FIXTURE(court, "a good run") {
  judged.accepted(a, promise::disk, promise::disk, 5, 5);
  judged.accepted(b, promise::disk, promise::disk, 6, 6);
  get(a, {0, 1, 1});
  get(b, {0, 1, 2});
  get(a, {0, 1, 1}, 12, 13, true);
  CHECK(judged.open() == 2);
  judged.finished(a, "w", 20);
  judged.confirmed(a, promise::disk, "w", 21, 21);
  judged.finished(b, "w", 20);
  judged.accounts({channel_kind::pipeline, "q", true, 2, 2, 2, 1, 30});
  publish();
  show(x, 1);
  show(y, 2);
  judged.passed(7, {1, 1, 2}, promise::disk, 20, 20);
  ask();
  execute(10);
  judged.finished(question, "r", 11);
  judged.confirmed(question, promise::disk, "r", 12, 12);
  answer_with(200);
  CHECK(judged.open() == 0);
  judged.end(40);
  CHECK_FALSE(judged.failed());
  CHECK(judged.counts().again == 1);
}

TEST_CASE_FIXTURE(court, "survives") {
  judged.accepted(a, promise::disk, promise::disk, 5, 5);
  SUBCASE("never delivered") {
    judged.end(100);
    CHECK(judged.why() == "accepted and lost: never delivered");
    CHECK(told.about(a).find("is told of the accept of p1.0#1") != std::string::npos);
  }
  SUBCASE("never finished") {
    get(a, {0, 1, 1});
    judged.end(100);
    CHECK(judged.why() == "accepted and delivered, but never finished");
  }
  SUBCASE("bit rot excuses its record alone") {
    judged.accepted(b, promise::disk, promise::disk, 5, 5);
    judged.rotted({b}, 50);
    judged.end(100);
    CHECK(judged.about() == a);
  }
  CHECK(said("survives"));
}

TEST_CASE_FIXTURE(court, "phantom") {
  SUBCASE("a key nobody sent") {
    get({1, 0, 3}, {0, 1, 3});
  }
  SUBCASE("bytes nobody sent") {
    judged.delivered(from_queue({0, 1, 1}, 1, 2, false), {{std::byte{7}}});
  }
  SUBCASE("an accept of nothing") {
    judged.accepted({9, 0, 1}, promise::disk, promise::disk, 5, 5);
  }
  SUBCASE("of another channel") {
    publish();
    get(x, {0, 1, 1});
  }
  SUBCASE("an answer to nothing") {
    answer_with(200);
  }
  CHECK(said("phantom"));
}

TEST_CASE_FIXTURE(court, "exact") {
  message_parts changed = make_message(a, 512);
  SUBCASE("one bit") {
    changed[0].back() ^= std::byte{1};
  }
  SUBCASE("one empty part more") {
    changed.emplace_back();
  }
  judged.delivered(from_queue({0, 1, 1}, 10, 11, false), changed);
  CHECK(said("exact"));
}

TEST_CASE_FIXTURE(court, "exact: the reply to another request") {
  ask();
  judged.finished(question, "r", 5);
  answer_with(200, false);
  CHECK(said("exact"));
}

TEST_CASE_FIXTURE(court, "levels") {
  SUBCASE("a lower one than asked for") {
    judged.accepted(a, promise::process, promise::disk, 5, 5);
  }
  SUBCASE("refused for good") {
    judged.given_up(a, 5);
  }
  CHECK(said("levels"));
}

TEST_CASE_FIXTURE(court, "places") {
  get(a, {0, 1, 5});
  SUBCASE("one sequence, two messages") {
    get(b, {0, 1, 5}, 10, 11, true);
  }
  SUBCASE("one message, two sequences") {
    get(a, {0, 1, 6});
  }
  CHECK(said("places"));
}

TEST_CASE_FIXTURE(court, "order") {
  get(a, {0, 1, 5});
  SUBCASE("stored out of order") {
    get(b, {0, 1, 4}, 10, 11, true);
  }
  SUBCASE("first deliveries of a session out of order") {
    judged.sent({2, 0, 1}, channel_kind::pipeline, 3);
    get({2, 0, 1}, {0, 1, 3});
  }
  CHECK(said("order"));
}

TEST_CASE_FIXTURE(court, "order, where a former life was killed") {
  const auto after_the_kill = [&](const message_key& key, std::uint64_t sequence,
                                  std::uint64_t left) {
    delivery d = from_queue({0, 1, sequence}, left, left + 1, false);
    d.killed_ns = 10 * second;
    judged.delivered(d, make_message(key, 512));
  };
  after_the_kill(b, 5, 11 * second);
  after_the_kill(a, 4, 12 * second);
  CHECK_FALSE(judged.failed());
  judged.device_stopped(12 * second, 13 * second);
  const message_key c{1, 0, 3}, d{1, 0, 4};
  judged.sent(c, channel_kind::pipeline, 3);
  judged.sent(d, channel_kind::pipeline, 3);
  SUBCASE("its silence was noticed") {
    after_the_kill(d, 9, 14 * second);
    after_the_kill(c, 8, 15 * second);
    CHECK(said("order"));
  }
  SUBCASE("the device could not notice it") {
    after_the_kill(d, 9, 13 * second - 1);
    after_the_kill(c, 8, 15 * second);
    CHECK_FALSE(judged.failed());
  }
}

TEST_CASE("repeats") {
  terms several = rules();
  several.one_consumer = false;
  court c(several);
  c.get(c.a, {0, 1, 1}, 10, 11);
  c.get(c.a, {0, 1, 1}, 20, 21, true);
  c.get(c.a, {0, 1, 1}, 10, 22);  // the first frame, by the old connection
  CHECK_FALSE(c.judged.failed());
  c.get(c.a, {0, 1, 1}, 30, 31);
  CHECK(c.said("repeats"));
}

TEST_CASE("after a power loss below level disk a message may get another place") {
  court c(rules(promise::process));
  c.get(c.a, {0, 1, 5});
  c.judged.power_lost(20);
  c.get(c.a, {0, 2, 1}, 30, 31, true);
  CHECK_FALSE(c.judged.failed());
}

TEST_CASE_FIXTURE(court, "credit") {
  frame(true, 32, 2);
  frame(false, 33, 2);
  CHECK_FALSE(judged.failed());
  SUBCASE("one message more") {
    frame(false, 33, 1);
  }
  SUBCASE("a run that is too long") {
    frame(true, 32, 3);
    frame(false, 33, 2);
  }
  SUBCASE("a whole block may exceed it, a second one may not") {
    frame(true, 32, 3, 1);
    frame(false, 33, 2);
    CHECK_FALSE(judged.failed());
    frame(false, 33, 2);
  }
  CHECK(said("credit"));
}

TEST_CASE_FIXTURE(court, "after_ack") {
  get(a, {0, 1, 1});
  judged.finished(a, "w", 12);
  judged.confirmed(a, promise::disk, "w", 20, 20);
  SUBCASE("left before: still on its way") {
    get(a, {0, 1, 1}, 19, 25, true);
    CHECK_FALSE(judged.failed());
  }
  SUBCASE("left after") {
    get(a, {0, 1, 1}, 21, 25, true);
    CHECK(said("after_ack"));
  }
  SUBCASE("a request after its reply") {
    ask();
    execute(10);
    judged.confirmed(question, promise::disk, "r", 12, 12);
    execute(13);
    CHECK(said("after_ack"));
  }
}

TEST_CASE_FIXTURE(court, "subscriptions") {
  publish();
  SUBCASE("one is missing") {
    show(x, 1);
    judged.end(100);
  }
  SUBCASE("twice in one run") {
    show(x, 1);
    show(x, 1);
  }
  SUBCASE("out of order") {
    show(y, 2);
    show(x, 1);
  }
  SUBCASE("again after its ack was confirmed") {
    show(x, 1);
    judged.passed(7, {1, 1, 1}, promise::disk, 20, 20);
    judged.subscriber_began(7);
    show(x, 1, 21);
  }
  SUBCASE("what was not asked for") {
    judged.subscription_ended(7);
    judged.attached({8, topic_of(21), false, false, {1, 1, 1}, 3}, "s");
    delivery d = from_queue({1, 1, 1}, 10, 11, false);
    d.channel = channel_kind::pubsub;
    d.subscription = 8;
    judged.delivered(d, make_message(x, 512));
  }
  SUBCASE("from before its begin") {
    judged.attached({8, "", false, false, {1, 1, 2}, 3}, "s");
    delivery d = from_queue({1, 1, 1}, 10, 11, false);
    d.channel = channel_kind::pubsub;
    d.subscription = 8;
    judged.delivered(d, make_message(x, 512));
  }
  CHECK(said("subscriptions"));
}

TEST_CASE_FIXTURE(court, "gaps") {
  publish();
  SUBCASE("nothing can be lost") {
    judged.gap(7, 1, 1, "s", 9);
    CHECK(said("gaps"));
  }
  SUBCASE("after bit rot: it is no loss then") {
    judged.rotted({x}, 8);
    judged.gap(7, 1, 1, "s", 9);
    show(y, 2);
    judged.accepted(a, promise::disk, promise::disk, 5, 5);
    judged.finished(a, "w", 9);
    judged.end(100);
    CHECK_FALSE(judged.failed());
  }
}

TEST_CASE_FIXTURE(court, "answers") {
  ask();
  SUBCASE("none") {
    judged.end(100);
  }
  SUBCASE("nobody replied") {
    answer_with(200);
  }
  SUBCASE("given up, and attempts are not counted") {
    answer_with(500);
  }
  SUBCASE("closed, and never answered") {
    answer_with(410);
  }
  SUBCASE("a status of nobody") {
    answer_with(299);
  }
  CHECK(said("answers"));
}

TEST_CASE_FIXTURE(court, "expiry") {
  ask(1000 * ms);
  SUBCASE("handed out too late") {
    execute(10, 1001 * ms);
  }
  SUBCASE("told to be expired too early") {
    answer_with(504, false, 999 * ms);
  }
  CHECK(said("expiry"));
}

TEST_CASE_FIXTURE(court, "accounts") {
  SUBCASE("do not add up") {
    judged.accounts({channel_kind::pipeline, "q", true, 3, 2, 0, 1, 5});
  }
  SUBCASE("fall") {
    judged.accounts({channel_kind::pipeline, "q", true, 3, 3, 0, 1, 5});
    judged.accounts({channel_kind::pipeline, "q", true, 2, 2, 0, 1, 6});
  }
  SUBCASE("more acks than consumers gave") {
    judged.accounts({channel_kind::pipeline, "q", true, 3, 3, 1, 1, 5});
  }
  CHECK(said("accounts"));
}

TEST_CASE_FIXTURE(court, "damage") {
  judged.recovered(true, true, 5);
  CHECK_FALSE(judged.failed());
  judged.recovered(true, false, 6);
  CHECK(said("damage"));
}

TEST_CASE("what a level may lose at a power loss") {
  promise at = promise::disk;
  std::uint64_t lost_at = 200 * ms, stopped = 0;
  bool excused = false;
  SUBCASE("disk: nothing") {}
  SUBCASE("interval: nothing older than that") {
    at = promise::interval;
  }
  SUBCASE("interval: what is younger") {
    at = promise::interval;
    lost_at = 40 * ms;
    excused = true;
  }
  SUBCASE("interval: nothing older than that and the time the device was stopped") {
    at = promise::interval;
    stopped = 100 * ms;
  }
  SUBCASE("interval: what is younger than both") {
    at = promise::interval;
    stopped = 160 * ms;
    excused = true;
  }
  SUBCASE("process: all") {
    at = promise::process;
    excused = true;
  }
  court c(rules(at));
  if (stopped != 0) {  // the second time while it was stopped already
    c.judged.device_stopped(10 * ms, 10 * ms + stopped);
    c.judged.device_stopped(20 * ms, 40 * ms);
  }
  c.judged.accepted(c.a, at, at, 5, 5);
  c.judged.power_lost(lost_at);
  c.judged.end(300 * ms);
  CHECK(c.judged.failed() == !excused);
}

TEST_CASE("an accept that left before the power was lost and arrives after") {
  court c(rules(promise::process));
  c.judged.power_lost(10);
  SUBCASE("process: nothing was promised") {
    c.judged.accepted(c.a, promise::process, promise::process, 9, 20);
    c.judged.end(100);
    CHECK_FALSE(c.judged.failed());
  }
  SUBCASE("left after: it counts") {
    c.judged.accepted(c.a, promise::process, promise::process, 11, 20);
    c.judged.end(100);
    CHECK(c.judged.failed());
  }
}

TEST_CASE("every checker stands in the table once, under its own name") {
  story told;
  judge judged(rules(), told);
  std::set<std::string> names;
  for (const checker_entry& one : checker_table()) {
    CHECK(std::string(one.make(judged)->name()) == one.name);
    CHECK(names.insert(one.name).second);
  }
}

TEST_CASE("events run by time, ties in a drawn order, the same for a seed") {
  const auto order = [](std::uint64_t seed) {
    scheduler time(seed);
    std::string ran;
    for (char c = 'a'; c < 'i'; ++c) time.after(10, [&ran, c] { ran += c; });
    time.after(5, [&ran] { ran += '1'; });
    while (time.step()) {
    }
    return ran;
  };
  CHECK(order(1).size() == 9);
  CHECK(order(1)[0] == '1');
  CHECK(order(1) == order(1));
  CHECK(order(1) != order(2));
}

TEST_CASE("clocks of a process drift, and the calendar jumps") {
  scheduler time(1);
  const process_clock fast(time, 50'000), slow(time, -50'000);
  const std::uint64_t begin = time.real_at(time.now());
  time.after(100 * ms, [] {});
  CHECK(time.step());
  CHECK(fast.at().now_ns > slow.at().now_ns);
  for (const process_clock* clock : {&fast, &slow}) {
    const std::uint64_t shown = clock->at().now_ns + 7 * ms;
    CHECK(clock->local(clock->when(shown)) >= shown);
    CHECK(clock->local(clock->when(shown) - 5) <= shown);
  }
  time.shift_real(-1'000 * static_cast<std::int64_t>(ms));
  CHECK(time.real_at(time.now()) < begin);
  CHECK(time.real_max() == begin + 100 * ms);
}
