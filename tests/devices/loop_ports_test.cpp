// A device's ports on real sockets, before an engine of fakes: what has no room waits in its port.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "devices/loop/input_port.hpp"
#include "devices/loop/router_port.hpp"
#include "devices/transport/poller.hpp"
#include "tests/devices/port_fixture.hpp"

using namespace holdfast;
using namespace holdfast::testing;

namespace {

constexpr const char* anywhere = "@tcp://127.0.0.1:*";

struct fixture : port_fixture {
  std::unique_ptr<router_port> open_router(door speaks) {
    router_port::terms bounds;
    bounds.speaks = speaks;
    bounds.max_message = 1 << 20;
    return take(router_port::open(zmq, anywhere, 0, bounds, next_peer));
  }
  /// Turns until a message waits that has more bytes than there is room.
  bool let_wait(input_port& in, std::uint64_t room) {
    const std::uint64_t until = monotonic_now() + patience_ns;
    while (!in.waiting() && monotonic_now() < until) {
      poller p;
      in.add_to(p, true);
      if (p.wait(until - monotonic_now())) in.take_poll(p);
      REQUIRE(in.receive(core, room, {2, 2}));
    }
    return in.waiting();
  }
  /// A peer that sent messages of these sizes, of which the first has come.
  socket peer_of(router_port& port, socket_kind kind, std::initializer_list<std::size_t> sizes) {
    socket peer = connected(port.actual(), kind);
    REQUIRE(ready(peer, false));
    send(peer, sizes);
    REQUIRE(asks_to_be_read(port));
    return peer;
  }
  /// A PUSH whose messages of these sizes leave as soon as the port shakes hands.
  socket sender_to(input_port& port, std::initializer_list<std::size_t> sizes) {
    socket_options queues;
    queues.immediate = false;
    socket peer = connected(port.actual(), socket_kind::push, queues);
    send(peer, sizes);
    return peer;
  }
  socket connected(const std::string& to, socket_kind kind, const socket_options& options = {}) {
    socket peer = take(socket::open(zmq, kind, options));
    REQUIRE(peer.connect(take(parse_endpoint(to, endpoint_role::connect))).ok());
    return peer;
  }
  static void send(socket& peer, std::initializer_list<std::size_t> sizes) {
    for (const std::size_t size : sizes) {
      const std::string text(size, 'x');
      const part_out part{as_bytes_view(text.data(), text.size()), nullptr};
      REQUIRE(peer.send({&part, 1}) == io::done);
    }
  }
  static bool asks_to_be_read(router_port& port) {
    poller p;
    port.add_to(p, true);
    return p.wait(patience_ns) && p.readable(0);
  }
  static bool ready(const socket& what, bool readable) {
    poller p;
    p.add(what, readable, !readable);
    return p.wait(patience_ns) && (readable ? p.readable(0) : p.writable(0));
  }
};

}  // namespace

TEST_CASE("a plain message larger than the room waits, and those behind it with it") {
  fixture f;
  const auto in =
      take(input_port::open(f.zmq, {anywhere, "", 1000}, socket_kind::pull, 0, 1 << 20));
  const socket peer = f.sender_to(*in, {100, 10});
  REQUIRE(f.let_wait(*in, 99));
  for (int turn = 0; turn < 2; ++turn) {
    CHECK(in->receive(f.core, 99, {2, 2}));
    CHECK(in->waiting());
    CHECK(in->drained());  // else the loop would go on asking
    CHECK(in->messages() == 0);
  }
  CHECK(f.machine->blocks == 0);
  CHECK(in->receive(f.core, 100, {3, 3}));
  CHECK_FALSE(in->waiting());
  CHECK(in->messages() == 1);
  CHECK(in->bytes() == 100);
  CHECK(f.machine->blocks == 1);
}

TEST_CASE("a request larger than the room that is left waits in its port") {
  fixture f;
  const auto in = f.open_router(door::plain);
  const socket client = f.peer_of(*in, socket_kind::dealer, {10, 2000});
  constexpr std::uint64_t room = 6000;  // a record takes more than its bytes
  do {
    REQUIRE(f.asks_to_be_read(*in));
    CHECK(in->receive(f.core, room, {2, 2}));
  } while (!in->waiting());
  CHECK(in->receive(f.core, room, {2, 2}));
  CHECK(in->waiting());
  CHECK(in->drained());
  CHECK(f.machine->frames == 1);
  CHECK(in->receive(f.core, 10'000, {2, 2}));
  CHECK_FALSE(in->waiting());
  CHECK(f.machine->frames == 2);
}

TEST_CASE("what a worker says never waits: it frees room") {
  fixture f;
  const auto workers = f.open_router(door::ready);
  const socket worker = f.peer_of(*workers, socket_kind::dealer, {2000});
  CHECK(workers->receive(f.core, 0, {2, 2}));
  CHECK_FALSE(workers->waiting());
  CHECK(f.machine->frames == 1);
}
