// request_reply: one client with 64 requests in flight and one worker: requests answered a second
// and CPU time per request of each process (sender: the client, receiver: the worker), for reliable
// requester -> device -> replier and for plain DEALER -> zmq_proxy (ROUTER, DEALER) -> REP,
// measured in the same run, and the ratio. A reply is as large as its request.
//
//   request_reply_bench [--seconds S] [--sizes 64,1024,...] [--levels process,disk]
#include <cstdio>

#include <zmq.hpp>

#include "bench/measure.hpp"
#include "bench/peers.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint32_t in_flight = 64;

void plain_client(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(at.in);
  const std::string body(at.bytes, 'x');
  std::uint64_t answered = 0;
  const auto ask = [&] {
    socket.send(zmq::message_t(), zmq::send_flags::sndmore);
    socket.send(zmq::buffer(body), zmq::send_flags::none);
  };
  for (std::uint32_t i = 0; i < in_flight; ++i) ask();
  for (zmq::message_t delimiter, reply;;) {
    if (!socket.recv(delimiter) || !socket.recv(reply)) continue;
    if (reply.size() != at.bytes) give_up("a reply of the wrong size came through the proxy");
    at.shared->received.store(++answered, std::memory_order_relaxed);
    ask();
  }
}

void plain_worker(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::rep);
  socket.connect(at.out);
  for (zmq::message_t message;;)
    if (socket.recv(message)) socket.send(message, zmq::send_flags::none);
}

void request_proxy(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t in(context, zmq::socket_type::router), out(context, zmq::socket_type::dealer);
  in.bind(at.in);
  out.bind(at.out);
  zmq::proxy(in, out);
}

void reliable_client(const line& at) {
  requester_options options;
  options.endpoint = at.in;
  auto opened = requester::open(options);
  if (!opened) give_up(std::string(opened.text()));
  requester asker = std::move(opened).value();
  const std::string body(at.bytes, 'x');
  std::uint64_t answered = 0;
  const auto ask = [&] {
    if (const auto asked = asker.ask("", body); !asked) give_up(std::string(asked.text()));
  };
  for (std::uint32_t i = 0; i < in_flight; ++i) ask();
  for (;;) {
    const auto reply = asker.next();
    if (!reply) give_up(std::string(reply.text()));
    if (!reply->ok() || reply->text().size() != at.bytes) give_up("a wrong reply came through");
    at.shared->received.store(++answered, std::memory_order_relaxed);
    ask();
  }
}

void reliable_worker(const line& at) {
  replier_options options;
  options.endpoint = at.out;
  options.credit_messages = in_flight;
  auto opened = replier::open(options);
  if (!opened) give_up(std::string(opened.text()));
  replier worker = std::move(opened).value();
  for (;;) {
    const auto request = worker.receive();
    if (!request) give_up(std::string(request.text()));
    if (const status said = worker.reply(*request, request->text()); !said)
      give_up(std::string(said.text()));
  }
}

std::vector<child> one_worker(const std::function<void()>& body) {
  std::vector<child> made;
  made.emplace_back(body);
  return made;
}

figures through_proxy(const options& chosen, std::size_t bytes) {
  const line at{free_endpoint(), free_endpoint(), bytes, in_flight, make_counters()};
  const child middle([&] { request_proxy(at); });
  const auto workers = one_worker([&] { plain_worker(at); });
  const child client([&] { plain_client(at); });
  return measure({at.shared}, client, middle, workers, chosen.seconds);
}

figures through_device(const options& chosen, std::size_t bytes, const std::string& level) {
  const std::string endpoint = free_endpoint();
  const line at{endpoint, endpoint, bytes, in_flight, make_counters()};
  const scratch_directory data;
  const child middle = start_device(chosen, "reqrep", data.path(), endpoint, level);
  const auto workers = one_worker([&] { reliable_worker(at); });
  const child client([&] { reliable_client(at); });
  return measure({at.shared}, client, middle, workers, chosen.seconds);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  const options chosen = parse(argc, argv);
  std::printf("request-reply, %u requests in flight\n", in_flight);
  compare(
      chosen, [&](std::size_t bytes) { return through_proxy(chosen, bytes); },
      [&](std::size_t bytes, const std::string& level) {
        return through_device(chosen, bytes, level);
      });
}
