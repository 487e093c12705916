// The port of reliable peers on real connections, before an engine of fakes. The peers are DEALER
// sockets of libzmq.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "devices/loop/router_port.hpp"
#include "tests/devices/gate_fixture.hpp"
#include "tests/devices/port_fixture.hpp"

namespace holdfast::testing {

using gate_test::connect_tcp;
using gate_test::port_of;
using gate_test::send_all;

namespace {

struct fixture : port_fixture {
  std::unique_ptr<router_port> port;

  explicit fixture(const char* where = "@tcp://127.0.0.1:*") {
    router_port::terms bounds;
    bounds.max_message = 1 << 20;
    bounds.session_bytes = 1 << 20;
    port = take(router_port::open(zmq, where, 0, bounds, next_peer));
  }
  socket peer(socket_kind kind = socket_kind::dealer) {
    socket made = take(socket::open(zmq, kind, {}));
    REQUIRE(made.connect(take(parse_endpoint(port->actual(), endpoint_role::connect))).ok());
    turn_until([&] { return made.events().writable; });
    return made;
  }
  static void send(socket& from, const std::string& text) {
    const part_out part{as_bytes_view(text.data(), text.size()), nullptr};
    REQUIRE(from.send({&part, 1}) == io::done);
  }
  void send_to(peer_id to, const std::string& text) {
    const part_out part{as_bytes_view(text.data(), text.size()), nullptr};
    port->send(to, {&part, 1});
  }
  template <class Holds>
  void turn_until(Holds&& holds) {
    const std::uint64_t until = monotonic_now() + patience_ns;
    bool held = holds();
    for (; !held && monotonic_now() < until; held = holds()) {
      poller p;
      port->add_to(p, true);
      if (p.wait(5 * ms_ns)) port->take_poll(p);
      REQUIRE(port->receive(core, 1 << 20, {monotonic_now(), 1}));
      port->flush();
    }
    REQUIRE(held);
  }
};

std::string heard(socket& by) {
  std::vector<buffer_ref> parts;
  if (by.receive(parts, 1 << 20) != io::done) return {};
  return {reinterpret_cast<const char*>(parts[0].data()), parts[0].size()};
}

}  // namespace

TEST_CASE("reliable peers are numbered as they speak, answered, and lost when they go") {
  for (const char* where : {"@tcp://127.0.0.1:*", "@ipc://@holdfast-wire-router-test"}) {
    fixture f(where);
    socket silent = f.peer(), first = f.peer(), second = f.peer();
    CHECK(f.port->peers() == 0);
    f.send(first, "one");
    f.turn_until([&] { return f.machine->frames == 1; });
    f.send(second, "two");
    f.turn_until([&] { return f.machine->frames == 2; });
    CHECK(f.port->peers() == 2);
    REQUIRE((f.port->knows(1) && f.port->knows(2)));
    f.send_to(2, "to the second");
    f.send_to(1, "to the first");
    std::string got[2];
    f.turn_until([&] {
      if (got[0].empty()) got[0] = heard(first);
      if (got[1].empty()) got[1] = heard(second);
      return !got[0].empty() && !got[1].empty();
    });
    CHECK(got[0] == "to the first");
    CHECK(got[1] == "to the second");
    first.close();
    f.turn_until([&] { return !f.port->lost().empty(); });
    CHECK(f.port->lost() == std::vector<peer_id>{1});
    CHECK_FALSE(f.port->knows(1));
    f.send_to(1, "nobody");
    CHECK(f.port->unreachable() == 1);
  }
}

TEST_CASE("what a peer said before it went is heard") {
  fixture f;
  socket peer = f.peer();
  peer.set_linger(5000);
  for (int i = 0; i < 200; ++i) f.send(peer, std::string(1000, 'x'));
  peer.close();
  f.turn_until([&] { return !f.port->lost().empty(); });
  CHECK(f.machine->frames == 200);
}

TEST_CASE("what a peer said is heard also when it cannot be written to any more") {
  fixture f;
  fd peer = connect_tcp(port_of(f.port->actual()));
  const std::string hello =  // version 2.0, a DEALER without a name
      "\xff" + std::string(8, '\0') + "\x7f\1\5" + std::string(2, '\0');
  send_all(peer, hello + std::string("\0\5first", 7));
  f.turn_until([&] { return f.machine->frames == 1; });
  f.send_to(1, std::string(100'000, 'x'));  // which it leaves unread
  f.port->flush();
  send_all(peer, std::string("\0\4last", 6));
  peer.close();  // a reset
  for (int i = 0; i < 3; ++i) {
    f.send_to(1, "y");
    f.port->flush();
  }
  f.turn_until([&] { return !f.port->lost().empty(); });
  CHECK(f.machine->frames == 2);
}

TEST_CASE("a peer that says nothing but pings does not keep the device") {
  fixture f;
  const fd peer = connect_tcp(port_of(f.port->actual()));
  std::string said = "\xff" + std::string(8, '\0') + "\x7f\3" + std::string(1, '\0') + "NULL";
  said.resize(64, '\0');
  said += "\4\x1c\5READY\xbSocket-Type" + std::string(3, '\0') + "\6DEALER";
  for (int i = 0; i < 2000; ++i) said += "\4\7\4PING" + std::string(2, '\0');
  send_all(peer, said);
  int turns = 0;
  const std::uint64_t until = monotonic_now() + patience_ns;
  do {
    poller p;
    f.port->add_to(p, true);
    if (p.wait(5 * ms_ns)) f.port->take_poll(p);
    REQUIRE(f.port->receive(f.core, 1 << 20, {monotonic_now(), 1}));
    turns += !f.port->drained();
  } while (turns < 5 && monotonic_now() < until);
  CHECK(turns >= 5);
}

TEST_CASE("a peer that reads nothing is given up beyond what it may be owed, no other") {
  fixture f;
  socket reader = f.peer(), deaf = f.peer();
  f.send(reader, "hello");
  f.turn_until([&] { return f.machine->frames == 1; });
  f.send(deaf, "hello");
  f.turn_until([&] { return f.machine->frames == 2; });
  const std::string block(100'000, 'b');
  std::size_t got = 0;
  for (int i = 0; i < 2000 && f.port->lost().empty(); ++i) {
    f.send_to(1, "one");
    f.send_to(2, block);  // its DEALER holds 1000 of them at most, and its kernel some more
    f.turn_until([&] { return !heard(reader).empty(); });
    ++got;
  }
  CHECK(f.port->evicted() == 1);
  CHECK(f.port->lost() == std::vector<peer_id>{2});
  CHECK(f.port->knows(1));
  CHECK(got > 10);
}

TEST_CASE("a frame beyond the limit is counted, and its peer stays") {
  fixture f;
  socket peer = f.peer();
  f.send(peer, std::string(3 << 20, 'x'));
  f.send(peer, "small");
  f.turn_until([&] { return f.machine->frames == 1; });
  CHECK(f.port->too_large() == 1);
  CHECK(f.port->lost().empty());
}

TEST_CASE("who is no DEALER is not served") {
  fixture f;
  socket wrong = take(socket::open(f.zmq, socket_kind::push, {}));
  REQUIRE(wrong.connect(take(parse_endpoint(f.port->actual(), endpoint_role::connect))).ok());
  socket right = f.peer();
  f.send(right, "hello");
  f.turn_until([&] { return f.machine->frames == 1; });
  CHECK_FALSE(wrong.events().writable);
}

TEST_CASE("while nothing is taken, what waits for a peer leaves all the same") {
  fixture f;
  socket peer = f.peer();
  f.send(peer, "hello");
  f.turn_until([&] { return f.machine->frames == 1; });
  const std::string block(500'000, 'b');
  f.send_to(1, block);
  f.port->flush();
  f.send(peer, "not taken");
  std::vector<buffer_ref> parts;
  io outcome = io::would_block;
  for (const std::uint64_t until = monotonic_now() + patience_ns;
       outcome == io::would_block && monotonic_now() < until;) {
    poller p;
    f.port->add_to(p, false);
    if (p.wait(5 * ms_ns)) f.port->take_poll(p);
    f.port->keep_up({monotonic_now(), 1});
    outcome = peer.receive(parts, 1 << 20);
  }
  REQUIRE(outcome == io::done);
  CHECK(parts[0].size() == block.size());
  CHECK(f.machine->frames == 1);
  f.turn_until([&] { return f.machine->frames == 2; });
}

}  // namespace holdfast::testing
