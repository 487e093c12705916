// The work of the benchmarks checks itself: a broker that loses, repeats, alters or cuts a message,
// or dies, is a failed measurement, never a figure.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <zmq.hpp>

#include "bench/contestants/plain_ends.hpp"
#include "bench/line/run.hpp"
#include "bench/report/row.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t victim = 5;  // the number of the message that is hit

// What becomes of the victim on its way: sends it on, or not.
using mischief = std::function<void(zmq::socket_t& to, zmq::message_t& message)>;

// `left`: what was in the line before.
void forward(const std::string& in, const std::string& out, const mischief& hit,
             const std::string& left) {
  zmq::context_t context(1);
  zmq::socket_t from(context, zmq::socket_type::pull), to(context, zmq::socket_type::push);
  from.bind(in);
  to.bind(out);
  if (!left.empty()) to.send(zmq::buffer(left), zmq::send_flags::none);
  for (zmq::message_t message; from.recv(message);) {
    if (number_in({message.data<std::byte>(), message.size()}) == victim)
      hit(to, message);
    else
      to.send(message, zmq::send_flags::none);
  }
}

sample measured_with(const mischief& hit, const std::string& left = {}) {
  work asked;
  asked.messages_max = 200;
  asked.seconds = 5;
  asked.run = 2;
  return run_line(
      [&](const work& of) {
        const plain_end in{free_endpoint(), of.bytes}, out{free_endpoint(), of.bytes};
        setup made;
        made.broker.emplace([&, in, out] { forward(in.endpoint, out.endpoint, hit, left); });
        made.make_sender = [in] { return push_to(in); };
        made.make_receiver = [out] { return pull_from(out); };
        return made;
      },
      asked);
}

bool says(const sample& made, const std::string& text) {
  CAPTURE(made.failure);
  CHECK(made.per_second == 0);
  return made.failure.find(text) != std::string::npos;
}

sample measured_behind(const std::string& left) {
  return measured_with(
      [](zmq::socket_t& to, zmq::message_t& message) { to.send(message, zmq::send_flags::none); },
      left);
}

TEST_CASE("an honest broker is measured") {
  const sample made = measured_behind("");
  CHECK(made.failure == "");
  CHECK(made.messages == 200);
  CHECK(made.per_second > 0);
  CHECK(made.broker_peak_bytes > 0);
}

std::string text_of(body_view body) {
  return {reinterpret_cast<const char*>(body.data()), body.size()};
}

TEST_CASE("what a former run left in a line is let go") {
  bodies former(64, 1);
  CHECK(measured_behind(text_of(former.of(7))).failure == "");
  CHECK(measured_behind(text_of(former.of(greeting))).failure == "");
}

TEST_CASE("a message of somebody else in the line is a failure") {
  CHECK(says(measured_behind("some bytes, and no number in them"),
             "a message of somebody else came"));
}

TEST_CASE("a lost message is a failure") {
  CHECK(says(measured_with([](zmq::socket_t&, zmq::message_t&) {}),
             "a message is missing: number 6 where 5 was due"));
}

TEST_CASE("a repeated message is a failure") {
  CHECK(says(measured_with([](zmq::socket_t& to, zmq::message_t& message) {
               zmq::message_t again;
               again.copy(message);
               to.send(again, zmq::send_flags::none);
               to.send(message, zmq::send_flags::none);
             }),
             "came twice or out of its turn"));
}

TEST_CASE("a wrong byte is a failure") {
  CHECK(says(measured_with([](zmq::socket_t& to, zmq::message_t& message) {
               message.data<char>()[message.size() - 1] ^= 1;
               to.send(message, zmq::send_flags::none);
             }),
             "a wrong byte"));
}

TEST_CASE("a cut message is a failure") {
  CHECK(says(measured_with([](zmq::socket_t& to, zmq::message_t& message) {
               to.send(zmq::buffer(message.data<char>(), message.size() - 1),
                       zmq::send_flags::none);
             }),
             "a wrong size"));
}

TEST_CASE("a broker that dies is a failure") {
  CHECK(says(measured_with([](zmq::socket_t&, zmq::message_t&) { give_up("planted"); }),
             "the broker has died"));
}

sample at_rate(double per_second) {
  sample made;
  made.per_second = per_second;
  return made;
}

TEST_CASE("ratios are taken in each round, and the median is reported with its range") {
  row made;
  judge(made, {{at_rate(2), at_rate(1)}, {at_rate(30), at_rate(10)}, {at_rate(10), at_rate(2)}});
  CHECK(made.rounds == 3);
  CHECK(made.ratio.median == 3);
  CHECK(made.ratio.least == 2);
  CHECK(made.ratio.most == 5);
  CHECK(made.messages_per_s.median == 10);
}

TEST_CASE("a failed round is told and not counted") {
  sample failed;
  failed.failure = "why";
  row made;
  judge(made, {{at_rate(2), at_rate(1)}, {failed, at_rate(1)}, {at_rate(4), failed}});
  CHECK(made.rounds == 2);
  CHECK(made.failures == std::vector<std::string>{"why"});
  CHECK(made.ratio.most == 2);
  CHECK(made.messages_per_s.median == 3);
}

}  // namespace
}  // namespace holdfast::bench
