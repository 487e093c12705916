// Majordomo: every situation that a full 7/MDP 0.1 broker must handle, one test case each, under
// the numbers of the table in docs/guarantees.md.
#include <doctest/doctest.h>

#include "tests/patterns/mdp_rig.hpp"

namespace holdfast {
namespace {

constexpr peer_id client = 1, other_client = 2, worker = 11, second = 12, third = 13;
const std::vector<multipart> told_to_go{disconnect};
const std::vector<multipart> silence;
template <class... M>
std::vector<multipart> only(const M&... messages) {
  return {messages...};
}
const std::string nul(1, '\0');

/// A worker of echo that holds a request of the client; `address` is what the request bore.
template <class Rig>
std::string make_busy(Rig& rig, peer_id who, const multipart& body = {"work"}) {
  rig.send(who, ready_for("echo"));
  rig.send(client, request_to("echo", body));
  return rig.take_request(who, body);
}

SITUATION("1-3: a request and its reply; several parts, empty parts, NULs pass as they are") {
  const std::vector<multipart> bodies{
      {"hello"}, {"a", "", "b", ""}, {nul, std::string(5, '\0'), "\xff"}};
  for (const multipart& body : bodies) {
    rig_type rig;
    const std::string address = make_busy(rig, worker, body);
    REQUIRE(address.size() == dispatch_id_bytes);
    rig.send(worker, answer_to(address, body));
    CHECK(rig.take(client) == only(reply_from("echo", body)));
    CHECK(rig.bad_frames() == 0);
  }
}

SITUATION("4: a request before any worker waits for one") {
  rig_type rig;
  rig.send(client, request_to("echo", {"early"}));
  rig.send(worker, ready_for("echo"));
  CHECK(rig.take_request(worker, {"early"}).size() == dispatch_id_bytes);
}

SITUATION("5: a second READY of an idle worker") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  rig.send(worker, ready_for("echo"));
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.mmi("echo") == "404");
}

SITUATION("6: a second READY of a busy worker: its request goes to another") {
  rig_type rig;
  make_busy(rig, worker);
  rig.send(second, ready_for("echo"));
  rig.send(worker, ready_for("echo"));
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.take_request(second, {"work"}).size() == dispatch_id_bytes);
}

SITUATION("7-8: HEARTBEAT or REPLY before READY: DISCONNECT at once, so that it registers again") {
  for (const multipart& said : {heartbeat, answer_to("somebody", {"x"})}) {
    rig_type rig;
    rig.send(worker, said);
    CHECK(rig.take(worker) == told_to_go);
    CHECK(rig.bad_frames() == 1);
    rig.send(worker, ready_for("echo"));
    CHECK(rig.mmi("echo") == "200");
  }
}

SITUATION("9: READY for a name of 8/MMI") {
  rig_type rig;
  rig.send(worker, ready_for("mmi.service"));
  rig.send(second, ready_for("mmi.anything"));
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.take(second) == told_to_go);
  CHECK(rig.workers() == 0);
  CHECK(rig.mmi("mmi.anything") == "404");
}

SITUATION("10: DISCONNECT before READY is met with silence") {
  rig_type rig;
  rig.send(worker, disconnect);
  CHECK(rig.take(worker) == silence);
}

SITUATION("11: DISCONNECT of an idle worker: no more commands, and 404") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  rig.send(worker, disconnect);
  rig.send(client, request_to("echo", {"x"}));
  rig.pass(60 * second_ns);
  CHECK(rig.take(worker) == silence);
  CHECK(rig.take_beats(worker) == 0);
  CHECK(rig.mmi("echo") == "404");
}

SITUATION("12: DISCONNECT of a busy worker: its request goes to another at once") {
  rig_type rig;
  make_busy(rig, worker);
  rig.send(second, ready_for("echo"));
  rig.send(worker, disconnect);
  const std::string address = rig.take_request(second, {"work"});
  rig.send(second, answer_to(address, {"done"}));
  CHECK(rig.take(client) == only(reply_from("echo", {"done"})));
}

SITUATION("13: the connection of a busy worker is lost: its request goes to another at once") {
  rig_type rig;
  make_busy(rig, worker);
  rig.send(second, ready_for("echo"));
  rig.lose(worker);
  CHECK(rig.take_request(second, {"work"}).size() == dispatch_id_bytes);
  CHECK(rig.take(worker) == silence);
}

SITUATION("14: a busy worker is silent as long as it works, and no longer than the busy time-out") {
  rig_type rig(mdp_options{.busy_ns = 100 * second_ns});
  make_busy(rig, worker);
  rig.pass(99 * second_ns);
  CHECK(rig.take(worker) == silence);
  CHECK(rig.mmi("echo") == "200");
  rig.pass(2 * second_ns);
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.mmi("echo") == "404");
  rig.send(second, ready_for("echo"));
  CHECK(rig.take_request(second, {"work"}).size() == dispatch_id_bytes);
}

SITUATION("15: an idle worker that is silent is told to go after the missed heartbeats") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  rig.pass(9 * second_ns);
  CHECK(rig.mmi("echo") == "200");
  rig.pass(2 * second_ns);
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.mmi("echo") == "404");
  CHECK(rig.workers() == 0);
}

SITUATION("16: a live worker before dead ones in the queue hides none of them") {
  rig_type rig;
  for (const peer_id who : {worker, second, third}) rig.send(who, ready_for("echo"));
  for (int i = 0; i < 6; ++i) {
    rig.pass(2 * second_ns);
    rig.send(worker, heartbeat);
  }
  CHECK(rig.take(second) == told_to_go);
  CHECK(rig.take(third) == told_to_go);
  CHECK(rig.take(worker) == silence);
  CHECK(rig.workers() == 1);
}

SITUATION("17: REPLY without a request: DISCONNECT, and the worker stands nowhere twice") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  rig.send(worker, answer_to(std::string(16, 'x'), {"x"}));
  CHECK(rig.take(worker) == told_to_go);
  rig.send(client, request_to("echo", {"1"}));
  rig.send(client, request_to("echo", {"2"}));
  CHECK(rig.take(worker) == silence);
}

SITUATION("18: a second REPLY to one request is one to nothing") {
  rig_type rig;
  const std::string address = make_busy(rig, worker);
  rig.send(worker, answer_to(address, {"first"}));
  rig.send(worker, answer_to(address, {"second"}));
  CHECK(rig.take(client) == only(reply_from("echo", {"first"})));
  CHECK(rig.take(worker) == told_to_go);
}

SITUATION("19: REPLY naming another client reaches nobody, and its sender is told to go") {
  rig_type rig;
  const std::string address = make_busy(rig, worker);
  rig.send(second, ready_for("echo"));
  rig.send(other_client, request_to("echo", {"other"}));
  const std::string others = rig.take_request(second, {"other"});
  REQUIRE(others != address);
  rig.send(worker, answer_to(others, {"spoofed"}));
  CHECK(rig.take(worker) == told_to_go);
  CHECK(rig.take(client) == silence);
  CHECK(rig.take(other_client) == silence);
  rig.send(second, answer_to(others, {"true"}));
  CHECK(rig.take(other_client) == only(reply_from("echo", {"true"})));
  CHECK(rig.take_request(second, {"work"}).size() == dispatch_id_bytes);  // the spoofer's
}

SITUATION("20: a late REPLY, after its request went to another, is dropped and counted") {
  rig_type rig(mdp_options{.busy_ns = 8 * second_ns});
  const std::string old = make_busy(rig, worker);
  rig.send(second, ready_for("echo"));
  rig.pass(8'200 * ms_ns);  // and the delay after a failed attempt
  const std::string address = rig.take_request(second, {"work"});
  REQUIRE(address.size() == dispatch_id_bytes);
  REQUIRE(address != old);
  rig.take(worker);
  const std::uint64_t before = rig.bad_frames();
  rig.send(worker, answer_to(old, {"late"}));
  CHECK(rig.take(client) == silence);
  CHECK(rig.bad_frames() == before + 1);
  CHECK(rig.take(worker) == told_to_go);
  rig.send(second, answer_to(address, {"in time"}));
  CHECK(rig.take(client) == only(reply_from("echo", {"in time"})));
}

SITUATION("21: an unknown command is dropped and counted, and its sender told to go") {
  for (const std::string& command :
       {std::string("\x06"), nul, std::string("\x02"), std::string("xx")}) {
    rig_type rig;
    make_busy(rig, worker);
    rig.send(worker, {nothing, mdpw, command});
    CHECK(rig.bad_frames() == 1);
    CHECK(rig.take(worker) == told_to_go);
    rig.send(second, ready_for("echo"));
    CHECK(rig.take_request(second, {"work"}).size() == dispatch_id_bytes);
  }
}

SITUATION("22-27: malformed: dropped and counted, also from a worker at work") {
  const std::vector<multipart> inputs{{"one part"},
                                      {nothing},  // what ZMQ_PROBE_ROUTER sends
                                      {nothing, mdpc},
                                      {nothing, mdpw},
                                      {nothing, mdpw, "\x01"},
                                      request_to("mmi.service", {}),
                                      {nothing, "MDPC02", "\x01", "echo", "x"},
                                      {"MDPC02", "\x01", "echo", "x"},
                                      {nothing, mdpw, "\x03", "client"},
                                      {nothing, mdpw, "\x03", "client", "not empty", "x"}};
  for (const multipart& input : inputs) {
    rig_type rig;
    rig.send(third, input);
    CHECK(rig.bad_frames() == 1);
    const std::string address = make_busy(rig, worker);
    rig.send(worker, answer_to(address, {"x"}));
    CHECK(rig.take(client) == only(reply_from("echo", {"x"})));
  }
  rig_type rig;
  const std::string address = make_busy(rig, worker);
  rig.send(worker, {nothing});
  rig.send(worker, answer_to(address, {"x"}));
  CHECK(rig.take(worker) == silence);
  CHECK(rig.take(client) == only(reply_from("echo", {"x"})));
}

SITUATION("28: a request or a reply without a body has an empty one") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  rig.send(client, request_to("echo", {}));
  const std::string address = rig.take_request(worker, {""});
  REQUIRE(address.size() == dispatch_id_bytes);
  rig.send(worker, answer_to(address, {}));
  CHECK(rig.take(client) == only(reply_from("echo", {""})));
  CHECK(rig.bad_frames() == 0);
}

SITUATION(
    "29: mmi.service: 200 with a worker, 404 without, also for a name that was only asked for") {
  rig_type rig;
  CHECK(rig.mmi("echo") == "404");
  rig.send(client, request_to("echo", {"x"}));
  CHECK(rig.mmi("echo") == "404");
  rig.send(worker, ready_for("echo"));
  CHECK(rig.mmi("echo") == "200");  // busy by now
  CHECK(rig.mmi("ech") == "404");
  CHECK(rig.mmi(std::string("echo\0", 5)) == "404");
  const std::uint64_t before = rig.requests();
  for (int i = 0; i < 100; ++i) CHECK(rig.mmi("name " + std::to_string(i)) == "404");
  CHECK(rig.requests() == before);
}

SITUATION("30: other names of 8/MMI: 501, in the last part of the body") {
  rig_type rig;
  rig.send(client, request_to("mmi.other", {"keep", "x"}));
  rig.send(client, request_to("mmi.", {}));
  CHECK(rig.take(client) ==
        only(reply_from("mmi.other", {"keep", "501"}), reply_from("mmi.", {"501"})));
}

SITUATION("31: a client that is gone when its reply comes harms nobody") {
  rig_type rig;
  const std::string address = make_busy(rig, worker);
  rig.lose(client);
  rig.send(worker, answer_to(address, {"x"}));
  CHECK(rig.take(worker) == silence);
  rig.send(other_client, request_to("echo", {"next"}));
  CHECK(rig.take_request(worker, {"next"}).size() == dispatch_id_bytes);
}

SITUATION("32: names of services are bytes; NUL, none and more than 249 bytes are refused") {
  for (const std::string& name :
       {std::string("e\0x", 3), nul, std::string(), std::string(250, 'x')}) {
    rig_type rig;
    rig.send(worker, ready_for(name));
    CHECK(rig.take(worker) == told_to_go);
    rig.send(client, request_to(name, {"x"}));
    CHECK(rig.take(client) == silence);
    CHECK(rig.requests() == 0);
    CHECK(rig.bad_frames() == 2);
  }
  for (const std::string& name : {std::string("\xff\x01 "), std::string(249, 'x')}) {
    rig_type rig;
    rig.send(worker, ready_for(name));
    rig.send(client, request_to(name, {"x"}));
    CHECK(rig.take_request(worker, {"x"}).size() == dispatch_id_bytes);
  }
}

SITUATION("33: heartbeats go to idle and busy workers, and not where a command just went") {
  rig_type rig;
  make_busy(rig, worker);
  rig.send(second, ready_for("other"));
  for (int i = 0; i < 10; ++i) {
    rig.pass(second_ns);
    rig.send(second, heartbeat);
  }
  CHECK(rig.take_beats(worker) == 4);
  CHECK(rig.take_beats(second) == 4);
  rig.pass(2 * second_ns);
  rig.send(client, request_to("other", {"x"}));
  rig.pass(2 * second_ns);
  CHECK(rig.take_beats(second) == 0);  // the request was one
  rig.pass(second_ns);
  CHECK(rig.take_beats(second) == 1);
}

SITUATION("34: a worker with a slower rate of its own is given as many of its own intervals") {
  rig_type rig;
  rig.send(worker, ready_for("echo"));
  for (int i = 0; i < 5; ++i) {
    rig.pass(7 * second_ns);
    rig.send(worker, heartbeat);
  }
  rig.pass(20 * second_ns);  // two lost: dead by the configured rate
  CHECK(rig.take(worker) == silence);
  rig.pass(10 * second_ns);
  CHECK(rig.take(worker) == told_to_go);
}

SITUATION("an address stack (ZMQ_REQ_CORRELATE, proxies) comes back with the reply") {
  rig_type rig;
  const multipart stack{"proxy", std::string("\0\x01\0\x02", 4)};
  rig.send(worker, ready_for("echo"));
  rig.send(client, joined(stack, request_to("echo", {"x"})));
  const std::string address = rig.take_request(worker, {"x"});
  rig.send(worker, answer_to(address, {"y"}));
  CHECK(rig.take(client) == only(joined(stack, reply_from("echo", {"y"}))));
  rig.send(client, joined(stack, request_to("mmi.service", {"echo"})));
  CHECK(rig.take(client) == only(joined(stack, reply_from("mmi.service", {"200"}))));
}

SITUATION("a client's repeat is another request: nothing is matched by who sent it") {
  rig_type rig;
  rig.send(client, request_to("echo", {"x"}));
  rig.send(client, request_to("echo", {"x"}));
  rig.send(other_client, request_to("echo", {"x"}));
  CHECK(rig.requests() == 3);
}

SITUATION("workers have a limit; beyond it READY is answered with DISCONNECT") {
  rig_type rig(mdp_options{.workers_max = 2});
  for (const peer_id who : {worker, second, third}) rig.send(who, ready_for("echo"));
  CHECK(rig.take(third) == told_to_go);
  CHECK(rig.workers() == 2);
}

// The checks above see these.
TEST_CASE("planted: a spoofed reply is accepted") {
  dialect_rig rig(mdp_options{}, mdp_planted{.any_client = true});
  make_busy(rig, worker);
  rig.send(worker, answer_to("anybody", {"spoofed"}));
  CHECK(rig.take(client).size() == 1);
}

TEST_CASE("planted: a worker enlists twice") {
  dialect_rig rig(mdp_options{}, mdp_planted{.enlist_twice = true});
  rig.send(worker, ready_for("echo"));
  rig.send(worker, ready_for("echo"));
  rig.send(client, request_to("echo", {"1"}));
  rig.send(client, request_to("echo", {"2"}));
  CHECK(rig.take(worker).size() == 2);  // at once
}

TEST_CASE("planted: a worker serves mmi.service") {
  dialect_rig rig(mdp_options{}, mdp_planted{.serve_mmi = true});
  rig.send(worker, ready_for("mmi.service"));
  CHECK(rig.take(worker) == silence);
}

}  // namespace
}  // namespace holdfast
