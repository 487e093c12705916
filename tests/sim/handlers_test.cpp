// Handlers in the simulated world: those that are wrong are caught, each by its own fault, and
// those that are right pass; what a handler sees is what it would see.
#include <doctest/doctest.h>

#include <set>

#include "holdfast/sim.hpp"

using namespace holdfast;
using namespace holdfast::simulated;

namespace {

constexpr std::uint64_t count = 40, seeds = 60;

parts numbered(std::uint64_t n) {
  return {"topic", std::to_string(n), ""};
}

std::string number_of(const message_view& message) {
  return std::string(as_text(message[1]));
}

int times(const std::optional<std::string>& kept) {
  return kept ? std::stoi(*kept) : 0;
}

void add_one(store& disk, const std::string& key) {
  disk.put(key, std::to_string(times(disk.get(key)) + 1));
}

handled count_it(const delivery& message, process& self) {
  add_one(self.disk(), number_of(message.parts()));
  self.disk().commit();
  return handled::ack();
}

handled count_it_once(const delivery& message, process& self) {
  if (self.disk().get(number_of(message.parts()))) return handled::ack();
  return count_it(message, self);
}

check each_once(const world& in) {
  return [&in]() -> std::optional<flaw> {
    for (std::uint64_t n = 1; n <= count; ++n) {
      const auto at = in.committed().find(std::to_string(n));
      if (at == in.committed().end()) return flaw{"never", n};
      if (at->second != "1") return flaw{"not once", n};
    }
    return {};
  };
}

simulation workers(const handler& call, options how = {}) {
  return simulation(
      [call](world& made) {
        made.send(count, numbered);
        made.add_worker(call);
        made.add_worker(call);
        made.at_end(each_once(made));
      },
      how);
}

options only(bool faults::*kind) {
  options how;
  how.may = {false, false, false, false, false, false, false, false};
  how.may.*kind = true;
  return how;
}

}  // namespace

TEST_CASE("a worker that counts a redelivery is caught, and its seed fails again") {
  const outcome found = workers(count_it).search(seeds);
  REQUIRE_FALSE(found.passed);
  CHECK(found.by == "handler");
  CHECK(found.why == "not once");
  CHECK(found.story.find("gets again") != std::string::npos);
  CHECK_FALSE(found.schedule.empty());
  CHECK(to_text(found).find("faults that are enough") != std::string::npos);
  const outcome again = workers(count_it).run(found.seed);
  CHECK_FALSE(again.passed);
  CHECK(again.hash == found.hash);
}

TEST_CASE("a worker that looks first passes") {
  const outcome found = workers(count_it_once).search(seeds);
  INFO(to_text(found));
  CHECK(found.passed);
  CHECK(found.seeds == seeds);
  CHECK(found.messages == seeds * count);
  CHECK(found.redelivered > seeds);
  CHECK(found.deaths > seeds);
}

TEST_CASE("a process is killed between two commits of its handler") {
  const auto in_two_steps = [](const delivery& message, process& self) {
    const std::string key = number_of(message.parts());
    if (self.disk().get("done " + key)) return handled::ack();
    add_one(self.disk(), key);
    self.disk().commit();
    self.disk().put("done " + key, "");
    self.disk().commit();
    return handled::ack();
  };
  const outcome found = workers(in_two_steps, only(&faults::handlers_die)).search(seeds);
  REQUIRE_FALSE(found.passed);
  CHECK(found.why == "not once");
  CHECK(found.story.find("was in its handler") != std::string::npos);
}

TEST_CASE("a handler that catches its death dies all the same") {
  const auto stubborn = [](const delivery& message, process& self) {
    try {
      return count_it_once(message, self);
    } catch (...) {
      add_one(self.disk(), "after death");
      return handled::ack();
    }
  };
  const outcome found = workers(stubborn, only(&faults::handlers_die)).search(seeds);
  INFO(to_text(found));
  CHECK(found.passed);
  CHECK(found.deaths > 0);
}

TEST_CASE("an effect on the world outside is made twice where the process may die") {
  const auto outside = std::make_shared<std::map<std::string, int>>();
  const simulation mails([outside](world& made) {
    outside->clear();
    made.send(count, numbered);
    made.add_worker([outside](const delivery& message, process& self) {
      ++(*outside)[number_of(message.parts())];
      self.may_die();
      return handled::ack();
    });
    made.at_end([outside]() -> std::optional<flaw> {
      for (const auto& [key, sent] : *outside)
        if (sent != 1) return flaw{"mailed twice", std::stoull(key)};
      return {};
    });
  });
  CHECK(mails.search(seeds).why == "mailed twice");
}

TEST_CASE("what a process remembers is gone with it") {
  const auto remembers = [](const delivery& message, process& self) {
    if (!self.memory<std::set<std::string>>().insert(number_of(message.parts())).second)
      return handled::ack();
    return count_it(message, self);
  };
  const simulation one([remembers](world& made) {
    made.send(count, numbered);
    made.add_worker(remembers);
    made.at_end(each_once(made));
  });
  const outcome found = one.search(seeds);
  REQUIRE_FALSE(found.passed);
  CHECK(found.why == "not once");
}

TEST_CASE("with no faults, nothing comes again") {
  options how;
  how.may = {false, false, false, false, false, false, false, false};
  const outcome found = workers(count_it, how).search(10);
  INFO(to_text(found));
  CHECK(found.passed);
  CHECK(found.redelivered == 0);
  CHECK(found.faults == 0);
}

TEST_CASE("a lease that is shorter than the work") {
  const auto slow = [](const delivery& message, process& self) {
    if (message.attempt() == 1) self.spend(std::chrono::seconds(1));
    return count_it(message, self);
  };
  options how = only(&faults::clocks_jump);
  how.lease = milliseconds(500);
  CHECK(workers(slow, how).run(1).why == "not once");
  how.lease = milliseconds(5000);
  how.credit = 1;
  CHECK(workers(slow, how).run(1).passed);
}

TEST_CASE("a worker nacks, releases, rejects and keeps") {
  const auto choosy = [](const delivery& message, process& self) {
    if (message.attempt() > 3) return count_it_once(message, self);
    switch (self.draw(5)) {
      case 0: return handled::nack(milliseconds(20), "not now");
      case 1: return handled::release();
      case 2: return handled::keep();
      default: return count_it_once(message, self);
    }
  };
  const outcome found = workers(choosy).search(20);
  INFO(to_text(found));
  CHECK(found.passed);
  const simulation rejecting([](world& made) {
    made.send(count, numbered);
    made.add_worker([](const delivery&, process&) { return handled::reject("no"); });
  });
  CHECK(rejecting.search(5).passed);
}

TEST_CASE("subscribers: everything, in order, from where the store says") {
  const auto follow = [](const delivery& message, process& self) {
    const std::string mine = "last " + std::to_string(self.number());
    const int number = std::stoi(number_of(message.parts()));
    const int last = times(self.disk().get(mine));
    if (number > last + 1) self.fail("something is missing");
    if (number > last) self.disk().put(mine, std::to_string(number));
    self.disk().commit();
    return self.draw(3) == 0 ? handled::keep() : handled::ack();
  };
  const simulation followers([follow](world& made) {
    made.publish(count, numbered);
    made.add_subscriber(follow);
    made.add_subscriber(follow);
    made.at_end([&made]() -> std::optional<flaw> {
      for (const char* who : {"last 1", "last 2"})
        if (made.committed().find(who)->second != std::to_string(count)) return flaw{"behind"};
      return {};
    });
  });
  const outcome found = followers.search(seeds);
  INFO(to_text(found));
  CHECK(found.passed);
  CHECK(found.redelivered > 0);
}

TEST_CASE("repliers: each request is answered, and executed again where a replier vanished") {
  const auto heard = std::make_shared<std::set<std::uint64_t>>();
  const auto service = [heard](const request_handler& call) {
    return simulation([heard, call](world& made) {
      heard->clear();
      made.ask(count, numbered, [heard](std::uint64_t n, const parts& reply) {
        if (reply == parts{std::to_string(n), "done"}) heard->insert(n);
      });
      made.add_replier(call);
      made.add_replier(call);
      made.at_end([heard, once = each_once(made)]() -> std::optional<flaw> {
        if (heard->size() != count) return flaw{"not everything was heard"};
        return once();
      });
    });
  };
  const auto answer = [](const received_request& request, process& self) {
    const std::string key = number_of(request.parts());
    if (!self.disk().get(key)) add_one(self.disk(), key);
    self.disk().commit();
    return handled::reply({key, "done"});
  };
  const auto naive = [answer](const received_request& request, process& self) {
    const std::string key = number_of(request.parts());
    if (self.disk().get(key)) add_one(self.disk(), key);
    return answer(request, self);
  };
  const outcome found = service(answer).search(seeds);
  INFO(to_text(found));
  CHECK(found.passed);
  CHECK(service(naive).search(seeds).why == "not once");
}

TEST_CASE("what cannot be simulated, and what no handler may do") {
  const auto why = [](const std::function<void(world&)>& build) {
    const outcome found = simulation(build).search(3);
    CHECK_FALSE(found.passed);
    return found.by + ": " + found.why;
  };
  CHECK(why([](world& made) { made.send(1, numbered); }) ==
        "setup: messages are sent that no worker takes");
  CHECK(why([](world& made) {
          made.send(0, numbered);
          made.add_worker(count_it);
        }) == "setup: a world has 1 to 10 000 messages of a kind");
  CHECK(why([](world& made) {
          made.send(5, numbered);
          made.add_worker([](const delivery&, process&) { return handled::reply({"?"}); });
        }) == "handler: a worker cannot say that");
  CHECK(why([](world& made) {
          made.send(5, numbered);
          made.add_worker([](const delivery&, process&) -> handled {
            throw std::runtime_error("lost the way");
          });
        }) == "handler: an exception left the handler: lost the way");
}

TEST_CASE("a handler that never says a word is stuck") {
  options how;
  how.patience = std::chrono::seconds(10);
  const outcome found =
      workers([](const delivery&, process&) { return handled::keep(); }, how).run(1);
  CHECK(found.why == "accepted and delivered, but never finished");
}

TEST_CASE("a handler that is another one in every run is told") {
  int calls = 0;
  const auto moody = [&calls](const delivery& message, process& self) {
    if (++calls % 7 == 0) self.spend(std::chrono::milliseconds(calls));
    return count_it(message, self);
  };
  CHECK(workers(moody).search(seeds).by == "replay");
}
