// A history as it should be passes; one mistake in it is seen by the checker of that promise.
#include "tests/history/history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// A producer, two workers, a publisher with one subscriber, a requester and a replier.
struct lab {
  std::vector<history::event> events;
  std::uint64_t clock = 100 * second;

  lab() {
    for (const char* one :
         {"producer", "worker", "other worker", "publisher", "subscriber", "requester", "replier"})
      add(one, "starts").as = std::string(one).substr(std::string(one).find(' ') + 1);
    for (std::uint64_t n = 1; n <= 5; ++n) {
      add("producer", "sends", 1, n);
      add("producer", "accepted", 1, n);
      get("worker", 1, n, n);
      add("worker", "done", 1, n);
      add("publisher", "sends", 2, n);
      add("publisher", "accepted", 2, n);
      get("subscriber", 2, n, n);
      add("requester", "sends", 3, n);
      get("replier", 3, n, n);
      add("replier", "done", 3, n);
      answer(3, n, 200);
    }
    add("worker", "confirmed", 1, 5, 5);
    add("subscriber", "confirmed", 2, 5, 5);
    add("replier", "confirmed", 3, 5);
  }
  history::event& add(std::string who, std::string what, std::uint32_t from = 0,
                      std::uint64_t n = 0, std::uint64_t seq = 0) {
    history::event made;
    made.t = clock += 1000;
    made.who = std::move(who);
    made.what = std::move(what);
    made.from = from;
    made.n = n;
    made.seq = seq;
    made.exact = true;
    return events.emplace_back(made);
  }
  history::event& get(std::string who, std::uint32_t from, std::uint64_t n, std::uint64_t seq) {
    return add(std::move(who), "gets", from, n, seq);
  }
  void answer(std::uint32_t from, std::uint64_t n, std::uint16_t status) {
    add("requester", "answered", from, n).status = status;
  }
  std::vector<history::event>::iterator find(const std::string& who, const std::string& what,
                                             std::uint64_t n) {
    return std::find_if(events.begin(), events.end(), [&](const history::event& e) {
      return e.who == who && e.what == what && e.n == n;
    });
  }
  std::string by() const { return history::verdict_on(events).by; }
};

}  // namespace

TEST_CASE_FIXTURE(lab, "a good history") {
  const history::verdict said = history::verdict_on(events);
  INFO(said.by, ": ", said.why);
  CHECK(said.by.empty());
  CHECK(said.sent == 15);
  CHECK(said.accepted == 10);
  CHECK(said.delivered == 15);
}

TEST_CASE_FIXTURE(lab, "lost") {
  SUBCASE("of a queue") {
    events.erase(find("worker", "gets", 3));
    events.erase(find("worker", "done", 3));
    CHECK(by() == "survives");
  }
  SUBCASE("of a subscription") {
    events.erase(find("subscriber", "gets", 3));
    CHECK(by() == "subscriptions");
  }
  SUBCASE("a reply") {
    events.erase(find("requester", "answered", 3));
    CHECK(by() == "answers");
  }
}

TEST_CASE_FIXTURE(lab, "again, and not said so") {
  SUBCASE("to another worker") {
    get("other worker", 1, 2, 2);
    CHECK(by() == "repeats");
  }
  SUBCASE("in one life of a subscriber") {
    get("subscriber", 2, 2, 2);
    CHECK(by() == "subscriptions");
  }
  SUBCASE("a second reply") {
    answer(3, 2, 200);
    CHECK(by() == "answers");
  }
}

TEST_CASE_FIXTURE(lab, "again, rightly") {
  SUBCASE("said so, before its ack was confirmed by long") {
    get("other worker", 1, 5, 5).again = true;
    CHECK(by() == "");
  }
  SUBCASE("late, by one that was stopped") {
    add("other worker", "stopped").until = clock + 30 * second;
    clock += 31 * second;
    get("other worker", 1, 5, 5).again = true;
    CHECK(by() == "");
  }
  SUBCASE("long after its ack was confirmed: wrongly") {
    clock += 31 * second;
    get("other worker", 1, 5, 5).again = true;
    CHECK(by() == "after_ack");
  }
}

TEST_CASE_FIXTURE(lab, "in another order, stored twice, changed, invented") {
  SUBCASE("stored in another order") {
    find("worker", "gets", 2)->seq = 3;
    find("worker", "gets", 3)->seq = 2;
    CHECK(by() == "order");
  }
  SUBCASE("shown in another order") {
    find("subscriber", "gets", 2)->t = find("subscriber", "gets", 3)->t + 1;
    CHECK(by() == "subscriptions");
  }
  SUBCASE("stored twice") {
    get("other worker", 1, 2, 9);
    CHECK(by() == "places");
  }
  SUBCASE("changed") {
    find("worker", "gets", 2)->exact = false;
    CHECK(by() == "exact");
  }
  SUBCASE("invented") {
    get("worker", 1, 77, 9);
    CHECK(by() == "phantom");
  }
}

TEST_CASE("lines") {
  std::vector<history::event> events;
  std::string wrong;
  std::istringstream good(
      "{\"t\":5,\"who\":\"w\",\"what\":\"gets\",\"from\":1,\"n\":2,\"seq\":3,\"again\":1,"
      "\"exact\":1}\n{\"t\":6,\"who\":\"w\",\"wh");
  CHECK(history::read(good, events, wrong));
  REQUIRE(events.size() == 1);
  CHECK(events[0].seq == 3);
  CHECK(events[0].again);
  std::istringstream bad("{\"t\":5}\n");
  CHECK_FALSE(history::read(bad, events, wrong));
  CHECK(wrong.find("line 1: ") == 0);
}
