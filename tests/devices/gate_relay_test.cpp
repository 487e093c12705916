// The gate with raw sockets: bytes, ends, bounds. What libzmq makes of it: gate_zmq_test.cpp.
#include <doctest/doctest.h>

#include <linux/filter.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <thread>

#include "base/random.hpp"
#include "tests/devices/gate_fixture.hpp"

using namespace gate_test;

namespace {

std::string noise(std::size_t size, std::uint64_t seed) {
  random_source random(seed);
  std::string made(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(made.data() + i, &word, 8);
  }
  return made;
}

gate_options copying() {
  gate_options options;
  options.copy = true;
  return options;
}

/// Its kernel hears nothing any more, as after a pulled cable.
void unplug(const fd& of) {
  sock_filter drop_all[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  const sock_fprog program{1, drop_all};
  REQUIRE(::setsockopt(of.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
}

void exchange(const fd& one, const fd& other, std::size_t size) {
  const std::string there = noise(size, 1), back = noise(size, 2);
  std::thread sends_there([&] { send_all(one, there); });
  std::thread sends_back([&] { send_all(other, back); });
  std::string got_back;
  std::thread takes_back([&] { got_back = receive(one, size); });
  const std::string got_there = receive(other, size);
  sends_there.join();
  sends_back.join();
  takes_back.join();
  CHECK((got_there == there));
  CHECK((got_back == back));
}

}  // namespace

TEST_CASE("a peer is announced with its address and a private name of its own") {
  gate_at at;
  const fd one = connect_tcp(at.port()), two = connect_tcp(at.port());
  const gate_event first = at.up(), second = at.up();
  CHECK(first.cookie == 7);
  CHECK(first.text.starts_with("tcp://127.0.0.1:"));
  CHECK(first.endpoint.starts_with("ipc://@holdfast-"));
  CHECK(first.endpoint.size() - 6 <= 107);
  CHECK(first.endpoint != second.endpoint);
  CHECK(first.peer != second.peer);
}

TEST_CASE("bytes pass both ways at once, exact") {
  SUBCASE("spliced") {
    gate_at at;
    relayed r(at);
    exchange(r.outer, r.inner, 16 << 20);
    CHECK(at.box.counts().copied_lanes == 0);
  }
  SUBCASE("copied") {
    gate_at at(copying());
    relayed r(at);
    exchange(r.outer, r.inner, 16 << 20);
    CHECK(at.box.counts().copied_lanes > 0);
  }
  SUBCASE("over ipc") {
    gate_at at({}, "ipc://@gate-test-" + std::to_string(::getpid()));
    relayed r(at, connect_unix(at.where.substr(6)));
    exchange(r.outer, r.inner, 16 << 20);
  }
}

TEST_CASE("a lone small message is not held back") {
  gate_at at;
  relayed r(at);
  const std::uint64_t begin = monotonic_now();
  for (int i = 0; i < 500; ++i) {
    send_all(r.inner, "ping");
    REQUIRE(receive(r.outer, 4) == "ping");
    send_all(r.outer, "pong");
    REQUIRE(receive(r.inner, 4) == "pong");
  }
  const std::uint64_t one_ns = (monotonic_now() - begin) / 500;
  MESSAGE("round trip through the gate: " << one_ns / 1000 << " us");
  CHECK(one_ns < 20 * ms_ns);  // a corked or delayed segment would take 40 to 200 ms
}

TEST_CASE("a peer that goes away is reported when the private side has had everything it sent") {
  gate_at at;
  relayed r(at);
  send_all(r.outer, "last words");
  r.outer.close();
  CHECK(receive(r.inner, 10) == "last words");
  CHECK(ended(r.inner));
  CHECK(at.quiet(50));  // the private side still has the connection open
  r.inner.close();
  const gate_event down = at.down();
  CHECK(down.peer == r.peer);
  CHECK(down.end == gate_end::closed);
}

TEST_CASE("a private side that takes nothing in holds an end up for drain_ms only") {
  gate_options options;
  options.drain_ms = 50;
  gate_at at(options);
  relayed r(at);
  r.outer.close();
  CHECK(at.down().end == gate_end::closed);
}

TEST_CASE("a reset is told from an orderly end") {
  gate_at at;
  relayed r(at);
  const linger now{1, 0};
  ::setsockopt(r.outer.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  r.outer.close();
  CHECK(ended(r.inner));
  r.inner.close();
  CHECK(at.down().end == gate_end::reset);
}

TEST_CASE("a peer that goes before the device was ready is reported at once") {
  gate_at at;
  fd one = connect_tcp(at.port());
  const gate_event up = at.up();
  one.close();
  CHECK(at.down().peer == up.peer);
  at.box.ready(up.peer);  // too late, and no error
  CHECK(at.quiet(50));
}

TEST_CASE("a private socket that is not there ends the peer with the reason") {
  gate_at at;
  const fd one = connect_tcp(at.port());
  at.box.ready(at.up().peer);
  const gate_event down = at.down();
  CHECK(down.end == gate_end::not_bound);
  CHECK(down.text.find("refused") != std::string::npos);
  CHECK(ended(one));
}

TEST_CASE("what the device handed over before it ended still goes out") {
  gate_at at;
  relayed r(at);
  const std::string rest = noise(100'000, 3);
  send_all(r.inner, rest);
  send_all(r.outer, "unread");  // must not turn the end into a reset
  r.inner.close();
  CHECK((receive(r.outer, rest.size()) == rest));
  CHECK(ended(r.outer));
  r.outer.close();
  CHECK(at.down().end == gate_end::device_closed);
}

TEST_CASE("a peer that does not take the rest is given up after drain_ms") {
  gate_options options;
  options.drain_ms = 50;
  gate_at at(options);
  relayed r(at, connect_tcp(at.port(), 4096));
  REQUIRE(send_until_full(r.inner, 64 << 20) > 0);
  r.inner.close();
  CHECK(at.down().end == gate_end::not_drained);
}

TEST_CASE("close cuts both sides and nothing more is heard") {
  gate_at at;
  relayed r(at);
  at.box.close(r.peer);
  CHECK(ended(r.inner));
  char byte;
  CHECK(::recv(r.outer.get(), &byte, 1, 0) <= 0);
  CHECK(at.quiet(50));
  CHECK(!at.box.unsent(r.peer).idle);
}

TEST_CASE("a peer that does not read stops its own sender, within the bound, and nobody else") {
  gate_at at;
  relayed stuck(at, connect_tcp(at.port(), 16 * 1024)), other(at);
  const std::size_t taken = send_until_full(stuck.inner, 64 << 20);
  // Private connection, relay, unsent, and what the peer's own kernel took.
  CHECK(taken < (256 + 64 + 128 + 256) * 1024);
  const gate_backlog backlog = at.box.unsent(stuck.peer);
  CHECK(!backlog.idle);
  int unread = 0;  // what the peer's kernel has acknowledged
  REQUIRE(::ioctl(stuck.outer.get(), FIONREAD, &unread) == 0);
  CHECK(backlog.bytes + static_cast<std::size_t>(unread) == taken);
  CHECK(backlog.waiting <= backlog.bytes);

  const std::uint64_t asleep = at.box.counts().wakeups;
  CHECK(at.quiet(300));
  CHECK(at.box.counts().wakeups - asleep <= 2);

  send_all(other.inner, "flows");
  CHECK(receive(other.outer, 5) == "flows");
  CHECK(receive(stuck.outer, taken).size() == taken);
  CHECK(becomes_idle(at.box, stuck.peer));
  CHECK(at.box.unsent(stuck.peer).bytes == 0);
}

TEST_CASE("a device that does not read stops the peer, within the bound") {
  gate_at at;
  relayed r(at);
  int small = 16 * 1024;
  ::setsockopt(r.outer.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  const std::size_t taken = send_until_full(r.outer, 64 << 20);
  CHECK(taken < (8u << 20));  // its kernel's receive buffer grows to what net.ipv4.tcp_rmem says
  const std::uint64_t asleep = at.box.counts().wakeups;
  CHECK(at.quiet(300));
  CHECK(at.box.counts().wakeups - asleep <= 2);
  CHECK(receive(r.inner, taken).size() == taken);
}

TEST_CASE("an ipc peer's unread bytes are all seen") {
  gate_at at({}, "ipc://@gate-unsent-" + std::to_string(::getpid()));
  relayed r(at, connect_unix(at.where.substr(6)));
  CHECK(becomes_idle(at.box, r.peer));
  send_all(r.inner, noise(1000, 4));
  CHECK(at.box.unsent(r.peer).bytes >= 1000);
  CHECK(!at.box.unsent(r.peer).idle);
  CHECK(receive(r.outer, 1000).size() == 1000);
  CHECK(becomes_idle(at.box, r.peer));
}

TEST_CASE("a peer that vanished is found, idle or not; one that only stopped reading is kept") {
  gate_options options;
  options.peer_timeout_ms = 3000;
  gate_at at(options);
  relayed idle(at), busy(at), stopped(at, connect_tcp(at.port(), 4096));
  send_until_full(stopped.inner, 64 << 20);
  unplug(idle.outer);
  unplug(busy.outer);
  send_all(busy.inner, noise(1000, 5));
  for (relayed* r : {&idle, &busy, &stopped}) {
    const timeval none{0, 0};
    ::setsockopt(r->inner.get(), SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  }
  std::vector<gate_peer> gone;
  for (int i = 0; i < 2; ++i) {
    const gate_event down = at.next(15'000);
    REQUIRE(down.what == gate_event::kind::peer_down);
    CHECK(down.end == gate_end::vanished);
    gone.push_back(down.peer);
  }
  CHECK(std::count(gone.begin(), gone.end(), stopped.peer) == 0);
  CHECK(at.quiet(3500));
}
