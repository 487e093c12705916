// fan_out: one publisher and ten subscribers: messages a second (each reaches all ten) and CPU time
// per message of each process, for reliable publisher -> device -> subscribers and for plain PUB ->
// zmq_proxy (XSUB, XPUB) -> SUBs, measured in the same run, and the ratio. Nobody drops anything:
// the plain sockets wait (XPUB_NODROP).
//
//   fan_out_bench [--seconds S] [--sizes 64,1024,...] [--levels process,disk]
#include <algorithm>
#include <cstring>

#include <zmq.hpp>

#include "bench/measure.hpp"
#include "bench/peers.hpp"
#include "holdfast/pubsub.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t subscribers = 10;
constexpr std::uint64_t look_every = 64;  // messages between looks at the shared counters
const std::string topic = "bench";

// Each flow's `received` is the number of the last message that came: they begin with it.
using flows = std::vector<counters*>;

flows make_flows() {
  flows made(subscribers);
  std::generate(made.begin(), made.end(), make_counters);
  return made;
}

std::uint64_t slowest(const flows& all) {
  std::uint64_t least = UINT64_MAX;
  for (const counters* one : all) least = std::min(least, one->received.load());
  return least;
}

// Sends numbered bodies, never far ahead of the slowest subscriber; slowly while not all are there.
void publish(const line& at, const flows& all, const std::function<bool(std::string_view)>& send) {
  std::string body(at.bytes, 'x');
  for (std::uint64_t number = 1, least = 0;; ++number) {
    if (least == 0 || number % look_every == 0 || number > least + at.ahead)
      while ((least = slowest(all)) + at.ahead < number || least == 0) {
        yield_shortly();
        if (least == 0) break;
      }
    std::memcpy(body.data(), &number, sizeof number);
    while (!send(body)) continue;
  }
}

// Takes note of a received body; a hole is a failure.
void note(counters& flow, std::uint64_t& last, std::string_view body, std::size_t bytes) {
  std::uint64_t number = 0;
  if (body.size() != bytes) give_up("a message of the wrong size came through");
  std::memcpy(&number, body.data(), sizeof number);
  if (last != 0 && number != last + 1) give_up("a message was dropped or came twice");
  last = number;
  if (number % look_every == 0 || flow.received.load() == 0) flow.received.store(number);
}

void plain_publisher(const line& at, const flows& all) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::pub);
  socket.set(zmq::sockopt::xpub_nodrop, 1);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(at.in);
  publish(at, all, [&](std::string_view body) {
    return socket.send(zmq::buffer(topic), zmq::send_flags::sndmore) &&
           socket.send(zmq::buffer(body), zmq::send_flags::none);
  });
}

void plain_subscriber(const line& at, counters& flow) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::subscribe, topic);
  socket.connect(at.out);
  std::uint64_t last = 0;
  for (zmq::message_t first, body;;)
    if (socket.recv(first) && socket.recv(body)) note(flow, last, body.to_string_view(), at.bytes);
}

void fan_out_proxy(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t in(context, zmq::socket_type::xsub), out(context, zmq::socket_type::xpub);
  out.set(zmq::sockopt::xpub_nodrop, 1);
  in.bind(at.in);
  out.bind(at.out);
  zmq::proxy(in, out);
}

void reliable_publisher(const line& at, const flows& all) {
  publisher_options options;
  options.endpoint = at.in;
  auto opened = publisher::open(options);
  if (!opened) give_up(std::string(opened.text()));
  publisher out = std::move(opened).value();
  publish(at, all, [&](std::string_view body) { return out.send(topic, body).ok(); });
}

void reliable_subscriber(const line& at, counters& flow) {
  subscriber_options options;
  options.endpoint = at.out;
  options.prefixes = {topic};
  auto opened = subscriber::open(options);
  if (!opened) give_up(std::string(opened.text()));
  subscriber in = std::move(opened).value();
  for (std::uint64_t last = 0;;) {
    const auto got = in.receive_batch();
    if (!got) give_up(std::string(got.text()));
    for (const delivery& one : *got) note(flow, last, as_text(one.parts()[1]), at.bytes);
  }
}

template <class body_of_one>
std::vector<child> start_subscribers(const line& at, const flows& all, body_of_one body) {
  std::vector<child> made;
  made.reserve(all.size());
  for (counters* flow : all) made.emplace_back([&at, flow, body] { body(at, *flow); });
  return made;
}

figures through_proxy(const options& chosen, std::size_t bytes) {
  const line at{free_endpoint(), free_endpoint(), bytes, ahead_of(bytes), nullptr};
  const flows all = make_flows();
  const child middle([&] { fan_out_proxy(at); });
  const auto receivers = start_subscribers(at, all, plain_subscriber);
  const child sender([&] { plain_publisher(at, all); });
  return measure(all, sender, middle, receivers, chosen.seconds);
}

figures through_device(const options& chosen, std::size_t bytes, const std::string& level) {
  const std::string endpoint = free_endpoint();
  const line at{endpoint, endpoint, bytes, ahead_of(bytes), nullptr};
  const flows all = make_flows();
  const scratch_directory data;
  const child middle = start_device(chosen, "pubsub", data.path(), endpoint, level);
  const auto receivers = start_subscribers(at, all, reliable_subscriber);
  const child sender([&] { reliable_publisher(at, all); });
  return measure(all, sender, middle, receivers, chosen.seconds);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  const options chosen = parse(argc, argv);
  std::printf("fan-out 1 -> %zu\n", subscribers);
  compare(
      chosen, [&](std::size_t bytes) { return through_proxy(chosen, bytes); },
      [&](std::size_t bytes, const std::string& level) {
        return through_device(chosen, bytes, level);
      });
}
