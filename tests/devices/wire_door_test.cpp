// The door of ports that speak ZMTP themselves, and what it says of those who came.
#include <doctest/doctest.h>

#include <string>

#include "devices/loop/input_port.hpp"
#include "devices/loop/wire_door.hpp"
#include "tests/devices/gate_fixture.hpp"
#include "tests/devices/loop_fakes.hpp"

using namespace holdfast;
using namespace holdfast::testing;
using gate_test::connect_tcp;
using gate_test::port_of;
using gate_test::send_all;

namespace {

const endpoint anywhere{endpoint_role::bind, endpoint_transport::tcp, "tcp://127.0.0.1:*"};

/// One look, once something has happened.
void look(wire_door& at, std::uint64_t now_ns) {
  poller p;
  at.add_to(p);
  REQUIRE(p.wait(10 * second_ns));
  at.take_poll(p);
  at.look(now_ns);
}

}  // namespace

TEST_CASE("a door says once of each who came that its time to shake hands is over") {
  auto door = wire_door::open(anywhere);
  REQUIRE(door.ok());
  CHECK(door->next_deadline() == never_ns);
  const fd early = connect_tcp(port_of(door->actual()));
  look(*door, 1000);
  REQUIRE(door->came().size() == 1);
  const std::uint64_t first = door->came().front().number;
  const fd late = connect_tcp(port_of(door->actual()));
  look(*door, 2000);
  REQUIRE(door->came().size() == 1);
  CHECK(door->next_deadline() == 1000 + wire_door::handshake_ns);
  door->look(999 + wire_door::handshake_ns);
  CHECK(door->seen().empty());
  door->look(1000 + wire_door::handshake_ns);
  REQUIRE(door->seen().size() == 1);
  CHECK((door->seen().front().overdue && door->seen().front().number == first));
  door->look(2000 + wire_door::handshake_ns);
  CHECK(door->seen().size() == 1);
  CHECK(door->next_deadline() == never_ns);
}

TEST_CASE("who does not shake hands in time loses the connection, who did keeps it") {
  memory_log journal;
  catalog names;
  memory_outlet out;
  engine core{journal, names, out, nullptr};
  core.add_channel("work", std::make_unique<scripted_pattern>());
  core.start({1, 1});
  auto zmq = context::open();
  REQUIRE(zmq.ok());
  auto in =
      input_port::open(*zmq, {"@" + anywhere.address, "", 1000}, socket_kind::pull, 0, 1 << 20);
  REQUIRE(in.ok());
  const std::uint16_t port = port_of((*in)->actual());
  const fd silent = connect_tcp(port), polite = connect_tcp(port);
  const std::string hello = "\xff" + std::string(8, '\0') + "\x7f\1\x8" + std::string(2, '\0');
  send_all(polite, hello);  // version 2.0, and no name
  const auto turn = [&](std::uint64_t now_ns) {
    poller p;
    (*in)->add_to(p, true);
    if (p.wait(100 * ms_ns)) (*in)->take_poll(p);
    REQUIRE((*in)->receive(core, 1000, {now_ns, now_ns}));
  };
  std::string answered;
  while (answered.size() < 14) {  // signature, revision, type, an empty identity
    turn(2);
    char bytes[64];
    const ssize_t n = ::recv(polite.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) answered.append(bytes, static_cast<std::size_t>(n));
  }
  turn(2 + wire_door::handshake_ns);
  CHECK(gate_test::receive(silent, 10).size() == 10);  // the signature
  CHECK(gate_test::ended(silent));
  send_all(polite, std::string("\0\3one", 5));
  while ((*in)->messages() == 0) turn(3 + wire_door::handshake_ns);
  CHECK((*in)->messages() == 1);
}
