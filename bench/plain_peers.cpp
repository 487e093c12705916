#include <algorithm>
#include <cstdlib>
#include <vector>

#include <zmq.hpp>

#include "bench/peers.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t report_every = 64;  // messages between updates of a shared counter

}  // namespace

void plain_sender(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::push);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndtimeo, 100);
  socket.connect(at.in);
  const std::vector<char> body(at.bytes, 'x');
  std::uint64_t sent = 0;
  while (!at.shared->stop.load(std::memory_order_relaxed)) {
    if (!socket.send(zmq::buffer(body), zmq::send_flags::none)) continue;
    if (++sent % report_every == 0 || at.bytes >= 65536)
      at.shared->sent.store(sent, std::memory_order_relaxed);
  }
}

void plain_receiver(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::pull);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, 100);
  socket.connect(at.out);
  zmq::message_t message;
  std::uint64_t received = 0;
  while (!at.shared->stop.load(std::memory_order_relaxed)) {
    if (!socket.recv(message, zmq::recv_flags::none)) continue;
    if (message.size() != at.bytes) give_up("a message of the wrong size came through the proxy");
    if (++received % report_every == 0 || at.bytes >= 65536)
      at.shared->received.store(received, std::memory_order_relaxed);
  }
}

void proxy(const line& at) {
  zmq::context_t context(1);
  zmq::socket_t in(context, zmq::socket_type::pull), out(context, zmq::socket_type::push);
  in.bind(at.in);
  out.bind(at.out);
  zmq::proxy(in, out);
  std::exit(1);
}

}  // namespace holdfast::bench
