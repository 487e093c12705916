// latency: how long one lonely message takes to be accepted at level `process`, beside a plain
// REQ/REP round trip of the same size between two processes, measured in turns in the same run.
//
//   latency_bench [--rounds N] [--bytes B]
//
// The last line is for programs: "accept_p50_us X reqrep_p50_us Y ratio Z".
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "bench/peers.hpp"

namespace holdfast::bench {
namespace {

constexpr int warm_up = 50, turn = 10;

[[noreturn]] void reply(const std::string& endpoint) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::rep);
  socket.bind(endpoint);
  for (zmq::message_t message;;)
    if (socket.recv(message)) socket.send(message, zmq::send_flags::none);
}

class requester {
 public:
  explicit requester(const std::string& endpoint) : socket_(context_, zmq::socket_type::req) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    socket_.connect(endpoint);
  }
  double round_trip(const std::vector<char>& body) {
    const double begin = now_seconds();
    socket_.send(zmq::buffer(body), zmq::send_flags::none);
    zmq::message_t message;
    if (!socket_.recv(message)) give_up("no reply within 10 s");
    return now_seconds() - begin;
  }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

double percentile(std::vector<double>& seconds, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(seconds.size() - 1));
  std::nth_element(seconds.begin(), seconds.begin() + at, seconds.end());
  return seconds[static_cast<std::size_t>(at)] * 1e6;
}

int run(const std::string& program, int rounds, std::size_t bytes) {
  const std::string plain = free_endpoint(), reliable = free_endpoint();
  const scratch_directory data;
  const child device({program, "pipeline", "--data", data.path(), "--reliable", "@" + reliable,
                      "--durability", "process"},
                     "holdfast: ready");
  const child replier([&] { reply(plain); });
  const std::vector<char> body(bytes, 'x');
  requester client(plain);
  accept_timer producer(reliable, bytes);
  std::vector<double> replies, accepts;
  for (int done = -warm_up; done < rounds; done += turn) {
    for (int i = 0; i < turn; ++i) {
      const double took = client.round_trip(body);
      if (done >= 0) replies.push_back(took);
    }
    for (int i = 0; i < turn; ++i) {
      const double took = producer.send_one();
      if (done >= 0) accepts.push_back(took);
    }
  }
  const double accept = percentile(accepts, 0.5), reqrep = percentile(replies, 0.5);
  std::printf(
      "accepted at process: p50 %.1f us, p99 %.1f us; REQ/REP: p50 %.1f us, p99 %.1f us; %d "
      "of each, %zu B\n",
      accept, percentile(accepts, 0.99), reqrep, percentile(replies, 0.99), rounds, bytes);
  std::printf("accept_p50_us %.1f reqrep_p50_us %.1f ratio %.2f\n", accept, reqrep,
              accept / reqrep);
  return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  int rounds = 500;
  std::size_t bytes = 64;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--rounds") rounds = std::stoi(argv[i + 1]);
    if (key == "--bytes") bytes = std::stoul(argv[i + 1]);
  }
  return holdfast::bench::run(holdfast::bench::device_program(argv[0]), rounds, bytes);
}
