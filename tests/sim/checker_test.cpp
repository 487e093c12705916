// Every verdict of the checker, seen to fall once.
#include <doctest/doctest.h>

#include "sim/checker.hpp"
#include "sim/scheduler.hpp"

using namespace holdfast::sim;

namespace {

constexpr std::uint64_t ms = 1'000'000;

struct judged {
  story told;
  checker judge{{512, 50 * ms, true, true}, told};
  message_key a{1, 0, 1}, b{1, 0, 2};

  judged() {
    judge.sent(a, 1);
    judge.sent(b, 2);
  }
  message_parts content(const message_key& key) const { return make_message(key, 512); }
  void get(const message_key& key, place where, std::uint64_t left = 10, std::uint64_t now = 11,
           bool again = false) {
    judge.delivered("w", content(key), {where, left, 1, again}, now);
  }
};

}  // namespace

TEST_CASE_FIXTURE(judged, "a good run") {
  judge.accepted(a, promise::disk, 5, 5);
  judge.accepted(b, promise::disk, 6, 6);
  get(a, {1, 1});
  get(b, {1, 2});
  get(a, {1, 1}, 12, 13, true);
  CHECK_FALSE(judge.settled());
  judge.finished(a, "w", 20);
  judge.confirmed(a, promise::disk, "w", 21, 21);
  judge.finished(b, "w", 20);
  judge.accounts(2, 2, 30);
  CHECK(judge.settled());
  judge.end(40);
  CHECK_FALSE(judge.failed());
  CHECK(judge.duplicate_count() == 1);
}

TEST_CASE_FIXTURE(judged, "accepted and lost") {
  judge.accepted(a, promise::disk, 5, 5);
  judge.end(100);
  CHECK(judge.why() == "accepted and lost: never delivered");
  CHECK(told.about(a).find("is told of the accept of p1.0#1") != std::string::npos);
}

TEST_CASE_FIXTURE(judged, "delivered and never finished") {
  judge.accepted(a, promise::disk, 5, 5);
  get(a, {1, 1});
  judge.end(100);
  CHECK(judge.why() == "accepted and delivered, but never finished");
}

TEST_CASE_FIXTURE(judged, "never sent, or not made by anybody") {
  SUBCASE("a key nobody sent") {
    get({1, 0, 3}, {1, 3});
  }
  SUBCASE("bytes nobody sent") {
    judge.delivered("w", {{std::byte{7}}}, {{1, 1}, 1, 1}, 2);
  }
  SUBCASE("an accept of nothing") {
    judge.accepted({9, 0, 1}, promise::disk, 5, 5);
  }
  SUBCASE("refused for good") {
    judge.given_up(a, 5);
  }
  CHECK(judge.failed());
}

TEST_CASE_FIXTURE(judged, "other bytes, other parts") {
  message_parts changed = content(a);
  SUBCASE("one bit") {
    changed[0].back() ^= std::byte{1};
  }
  SUBCASE("one empty part more") {
    changed.emplace_back();
  }
  judge.delivered("w", changed, {{1, 1}, 10, 1}, 11);
  CHECK(judge.why() == "delivered: other bytes or other parts than were sent");
}

TEST_CASE_FIXTURE(judged, "places") {
  get(a, {1, 5});
  SUBCASE("one sequence, two messages") {
    get(b, {1, 5}, 10, 11, true);
  }
  SUBCASE("one message, two sequences") {
    get(a, {1, 6});
  }
  SUBCASE("stored out of order") {
    get(b, {1, 4}, 10, 11, true);
  }
  SUBCASE("first deliveries of a session out of order") {
    judge.sent({2, 0, 1}, 3);
    get({2, 0, 1}, {1, 3});
  }
  CHECK(judge.failed());
}

TEST_CASE_FIXTURE(judged, "after a power loss below level disk a message may get another place") {
  get(a, {1, 5});
  judge.power_lost(20);
  get(a, {2, 1}, 30, 31, true);
  CHECK_FALSE(judge.failed());
}

TEST_CASE_FIXTURE(judged, "handed out after its ack was confirmed") {
  get(a, {1, 1});
  judge.finished(a, "w", 12);
  judge.confirmed(a, promise::disk, "w", 20, 20);
  SUBCASE("left before: still on its way") {
    get(a, {1, 1}, 19, 25, true);
    CHECK_FALSE(judge.failed());
  }
  SUBCASE("left after") {
    get(a, {1, 1}, 21, 25, true);
    CHECK(judge.why() == "handed out after its ack was confirmed");
  }
}

TEST_CASE_FIXTURE(judged, "what a level may lose at a power loss") {
  promise at = promise::disk;
  std::uint64_t lost_at = 200 * ms;
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
  SUBCASE("process: all") {
    at = promise::process;
    excused = true;
  }
  judge.accepted(a, at, 5, 5);
  judge.power_lost(lost_at);
  judge.end(300 * ms);
  CHECK(judge.failed() == !excused);
}

TEST_CASE_FIXTURE(judged, "an accept that left before the power was lost and arrives after") {
  judge.power_lost(10);
  SUBCASE("process: nothing was promised") {
    judge.accepted(a, promise::process, 9, 20);
    judge.end(100);
    CHECK_FALSE(judge.failed());
  }
  SUBCASE("left after: it counts") {
    judge.accepted(a, promise::process, 11, 20);
    judge.end(100);
    CHECK(judge.failed());
  }
}

TEST_CASE_FIXTURE(judged, "accounts") {
  judge.accounts(3, 2, 5);
  CHECK(judge.failed());
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
