// Sockets, router, reader, poller and monitor against libzmq itself, in one process.
#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "devices/transport/message_reader.hpp"
#include "devices/transport/monitor.hpp"
#include "devices/transport/poller.hpp"
#include "devices/transport/router.hpp"
#include "devices/transport/socket.hpp"
#include "tests/take.hpp"

using namespace holdfast;
using testing::take;

namespace {

constexpr std::uint64_t patience_ns = 10 * second_ns;

bytes_view view(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}
std::string text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
endpoint at(const std::string& spec) {
  return *parse_endpoint(spec, endpoint_role::bind);
}

struct pair_of_sockets {
  context zmq = take(context::open());
  socket sender, receiver;
  pair_of_sockets(socket_kind from, socket_kind to, socket_options options = {}) {
    receiver = take(socket::open(zmq, to, options));
    REQUIRE(receiver.bind(at("@tcp://127.0.0.1:*")).ok());
    sender = take(socket::open(zmq, from, options));
    REQUIRE(sender.connect(at(">" + receiver.last_endpoint())).ok());
    REQUIRE(wait_for(sender, false));
  }
  static bool wait_for(const socket& what, bool readable) {
    poller p;
    p.add(what, readable, !readable);
    return p.wait(patience_ns) && (readable ? p.readable(0) : p.writable(0));
  }
};

io send_texts(socket& by, std::initializer_list<std::string_view> parts) {
  std::vector<part_out> out;
  for (const auto part : parts) out.push_back({view(part), nullptr});
  return by.send(out);
}

}  // namespace

TEST_CASE("a multipart arrives exact, empty parts included, as buffers") {
  pair_of_sockets s(socket_kind::push, socket_kind::pull);
  CHECK(send_texts(s.sender, {"", "one", "", "three"}) == io::done);
  REQUIRE(s.wait_for(s.receiver, true));
  std::vector<buffer_ref> parts;
  REQUIRE(s.receiver.receive(parts, 1000) == io::done);
  REQUIRE(parts.size() == 4);
  CHECK(text(parts[0].bytes()).empty());
  CHECK(text(parts[1].bytes()) == "one");
  CHECK(text(parts[2].bytes()).empty());
  CHECK(text(parts[3].bytes()) == "three");
  CHECK(s.receiver.receive(parts, 1000) == io::would_block);
}

TEST_CASE("a large part is held as it came, a small one does not hold libzmq's receive buffer") {
  pair_of_sockets s(socket_kind::push, socket_kind::pull);
  CHECK(send_texts(s.sender, {std::string(4096, 'x'), std::string(4095, 'y')}) == io::done);
  REQUIRE(s.wait_for(s.receiver, true));
  std::vector<buffer_ref> parts;
  REQUIRE(s.receiver.receive(parts, 10'000) == io::done);
  CHECK(parts[0].owner()->what() == buffer::kind::zmq_message);
  CHECK(parts[1].owner()->what() == buffer::kind::slab);
}

TEST_CASE("a received message is forwarded as it is, a slice of it by copy or reference") {
  pair_of_sockets s(socket_kind::push, socket_kind::pull);
  const std::string big(100'000, 'x');
  std::vector<buffer_ref> parts;
  REQUIRE(send_texts(s.sender, {big}) == io::done);
  REQUIRE(s.wait_for(s.receiver, true));
  REQUIRE(s.receiver.receive(parts, 1 << 20) == io::done);
  const buffer_ref whole = parts[0];
  const buffer_ref slice = whole.slice(10, 50'000);
  const buffer_ref small = whole.slice(0, 10);
  const part_out out[] = {
      {whole.bytes(), &whole}, {slice.bytes(), &slice}, {small.bytes(), &small}};
  REQUIRE(s.sender.send(out) == io::done);
  REQUIRE(s.wait_for(s.receiver, true));
  REQUIRE(s.receiver.receive(parts, 1 << 20) == io::done);
  REQUIRE(parts.size() == 3);
  CHECK(text(parts[0].bytes()) == big);
  CHECK(parts[1].size() == 50'000);
  CHECK(parts[2].size() == 10);
}

TEST_CASE("a message beyond the limit is read, thrown away, and the next one is whole") {
  pair_of_sockets s(socket_kind::push, socket_kind::pull);
  REQUIRE(send_texts(s.sender, {"12345", "67890", "x"}) == io::done);
  REQUIRE(send_texts(s.sender, {"next"}) == io::done);
  std::vector<buffer_ref> parts;
  REQUIRE(s.wait_for(s.receiver, true));
  CHECK(s.receiver.receive(parts, 9) == io::too_large);
  CHECK(parts.empty());
  REQUIRE(s.wait_for(s.receiver, true));
  REQUIRE(s.receiver.receive(parts, 9) == io::done);
  CHECK(text(parts[0].bytes()) == "next");
}

TEST_CASE("the reader reuses its messages and keeps the same limits") {
  pair_of_sockets s(socket_kind::push, socket_kind::pull);
  message_reader reader(9, 2);
  REQUIRE(send_texts(s.sender, {"12345", "67890"}) == io::done);
  REQUIRE(send_texts(s.sender, {"a", "b", "c"}) == io::done);
  REQUIRE(send_texts(s.sender, {"ab", ""}) == io::done);
  REQUIRE(s.wait_for(s.receiver, true));
  CHECK(reader.receive(s.receiver) == io::too_large);
  REQUIRE(s.wait_for(s.receiver, true));
  CHECK(reader.receive(s.receiver) == io::too_large);
  REQUIRE(s.wait_for(s.receiver, true));
  REQUIRE(reader.receive(s.receiver) == io::done);
  REQUIRE(reader.parts().size() == 2);
  CHECK(text(reader.parts()[0]) == "ab");
  CHECK(reader.parts()[1].empty());
  CHECK(reader.bytes() == 2);
}

TEST_CASE("a full peer answers would_block and nothing of the message is sent") {
  socket_options narrow;
  narrow.send_hwm = narrow.receive_hwm = 1;
  pair_of_sockets s(socket_kind::push, socket_kind::pull, narrow);
  const std::string big(1 << 20, 'x');
  std::size_t sent = 0;
  while (sent < 10'000 && send_texts(s.sender, {big, "tail"}) == io::done) ++sent;
  REQUIRE(sent < 10'000);
  std::vector<buffer_ref> parts;
  for (std::size_t i = 0; i < sent; ++i) {
    REQUIRE(s.wait_for(s.receiver, true));
    REQUIRE(s.receiver.receive(parts, 2 << 20) == io::done);
    REQUIRE(parts.size() == 2);
  }
  CHECK(s.receiver.receive(parts, 2 << 20) == io::would_block);
}

TEST_CASE("router: peers get numbers, answers find them, a peer that left is unreachable") {
  context zmq = take(context::open());
  peer_id next = 7;
  router device = take(router::open(zmq, next, router::reliable_options()));
  REQUIRE(device.attach(at("@tcp://127.0.0.1:*")).ok());
  socket first = take(socket::open(zmq, socket_kind::dealer, {}));
  REQUIRE(first.connect(at(">" + device.raw().last_endpoint())).ok());
  REQUIRE(pair_of_sockets::wait_for(first, false));
  REQUIRE(send_texts(first, {"head", "body"}) == io::done);
  REQUIRE(pair_of_sockets::wait_for(device.raw(), true));
  peer_id from = 0;
  std::vector<buffer_ref> parts;
  REQUIRE(device.receive(from, parts, 100) == io::done);
  CHECK(from == 7);
  REQUIRE(parts.size() == 2);
  CHECK(text(parts[1].bytes()) == "body");

  const part_out answer[] = {{view("answer"), nullptr}};
  REQUIRE(device.send(from, answer) == io::done);
  CHECK(device.bytes_owed(from) == 6);
  REQUIRE(pair_of_sockets::wait_for(first, true));
  REQUIRE(first.receive(parts, 100) == io::done);
  CHECK(text(parts[0].bytes()) == "answer");
  CHECK(device.send(99, answer) == io::unreachable);

  first.close();
  // The device learns of it when libzmq does; each probe waits a little for that.
  poller pause;
  pause.add(device.raw());
  io outcome = io::done;
  for (int i = 0; i < 1000 && outcome != io::unreachable; ++i) {
    outcome = device.send(from, answer);
    pause.wait(10 * ms_ns);
  }
  CHECK(outcome == io::unreachable);
  CHECK_FALSE(device.knows(from));
}

TEST_CASE("router: beyond its limit the longest silent peer is displaced") {
  context zmq = take(context::open());
  peer_id next = 1;
  router device = take(router::open(zmq, next, router::reliable_options(), 2));
  REQUIRE(device.attach(at("@inproc://crowd")).ok());
  std::vector<socket> peers;
  std::vector<buffer_ref> parts;
  peer_id from = 0;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(take(socket::open(zmq, socket_kind::dealer, {})));
    REQUIRE(peers.back().connect(at(">inproc://crowd")).ok());
    REQUIRE(send_texts(peers.back(), {"hello"}) == io::done);
    REQUIRE(pair_of_sockets::wait_for(device.raw(), true));
    REQUIRE(device.receive(from, parts, 100) == io::done);
    CHECK(from == static_cast<peer_id>(i + 1));
  }
  CHECK(device.size() == 2);
  CHECK(device.displaced() == std::vector<peer_id>{1});
  REQUIRE(send_texts(peers[0], {"again"}) == io::done);
  REQUIRE(pair_of_sockets::wait_for(device.raw(), true));
  REQUIRE(device.receive(from, parts, 100) == io::done);
  CHECK(from == 4);  // never the old number
}

TEST_CASE("errors name the endpoint and the system's reason") {
  context zmq = take(context::open());
  socket a = take(socket::open(zmq, socket_kind::pull, {}));
  socket b = take(socket::open(zmq, socket_kind::pull, {}));
  REQUIRE(a.bind(at("@tcp://127.0.0.1:*")).ok());
  const std::string where = a.last_endpoint();
  const status outcome = b.bind(at("@" + where));
  CHECK(outcome.kind() == errc::in_use);
  CHECK(outcome.text().find(where) != std::string_view::npos);
  socket_options endless;
  endless.receive_hwm = 0;
  CHECK(socket::open(zmq, socket_kind::pull, endless).kind() == errc::invalid);
}

TEST_CASE("an inproc name is free as soon as its socket is closed") {
  context zmq = take(context::open());
  const endpoint at{endpoint_role::bind, endpoint_transport::inproc, "inproc://name"};
  for (int i = 0; i < 1000; ++i) {
    socket one = take(socket::open(zmq, socket_kind::pull, {}));
    REQUIRE(one.bind(at).ok());
    one.close();
  }
}

TEST_CASE("monitor: the connection of a connect endpoint comes up and goes down") {
  context zmq = take(context::open());
  socket far = take(socket::open(zmq, socket_kind::pull, {}));
  REQUIRE(far.bind(at("@tcp://127.0.0.1:*")).ok());
  socket near = take(socket::open(zmq, socket_kind::push, {}));
  monitor watch = take(monitor::watch(zmq, near));
  REQUIRE(near.connect(at(">" + far.last_endpoint())).ok());
  std::vector<link_event> events;
  REQUIRE(pair_of_sockets::wait_for(watch.channel(), true));
  watch.events(events);
  CHECK(events == std::vector{link_event::up});
  far.close();
  events.clear();
  REQUIRE(pair_of_sockets::wait_for(watch.channel(), true));
  watch.events(events);
  CHECK(events == std::vector{link_event::down});
  watch = monitor{};
}

TEST_CASE("poller: news that a descriptor told once is there until it is taken") {
  pair_of_sockets line(socket_kind::dealer, socket_kind::dealer);
  REQUIRE(send_texts(line.sender, {"one"}) == io::done);
  REQUIRE(send_texts(line.sender, {"two"}) == io::done);
  SUBCASE("it was seen, and left") {
    REQUIRE(line.wait_for(line.receiver, true));
    REQUIRE(line.wait_for(line.receiver, true));
    poller p;
    p.add(line.receiver);
    for (int i = 0; i < 3; ++i) REQUIRE((p.wait(patience_ns) && p.readable(0)));
  }
  SUBCASE("it was not wanted then") {
    poller p;
    p.add(line.receiver, false, true);
    REQUIRE((p.wait(patience_ns) && p.writable(0)));
    CHECK_FALSE(p.readable(0));
    p.want(0, false, false);
    REQUIRE(p.wait(ms_ns));
    CHECK_FALSE(p.writable(0));
    p.want(0, true, false);
    CHECK((p.wait(patience_ns) && p.readable(0)));
  }
  SUBCASE("a call took it in") {
    std::vector<buffer_ref> parts;
    REQUIRE(line.wait_for(line.receiver, true));
    REQUIRE(line.receiver.receive(parts, 1000) == io::done);
    CHECK(line.wait_for(line.receiver, true));
  }
  SUBCASE("all is taken") {
    std::vector<buffer_ref> parts;
    for (int i = 0; i < 2; ++i) {
      REQUIRE(line.wait_for(line.receiver, true));
      REQUIRE(line.receiver.receive(parts, 1000) == io::done);
    }
    poller p;
    p.add(line.receiver);
    REQUIRE(p.wait(ms_ns));
    CHECK_FALSE(p.readable(0));
    REQUIRE(send_texts(line.sender, {"three"}) == io::done);
    CHECK((p.wait(patience_ns) && p.readable(0)));
  }
}

TEST_CASE("poller: a missing descriptor is never ready") {
  poller p;
  p.add_fd(-1);
  CHECK(p.wait(0));
  CHECK_FALSE(p.readable(0));
}
