// The gate's listeners: endpoints, limits, descriptors, socket files.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/devices/gate_fixture.hpp"
#include "tests/temporary_directory.hpp"

using namespace gate_test;

namespace {

/// A directory that goes with the test.
struct scratch : testing::temporary_directory {
  std::string file(std::string_view name) const { return path + "/" + std::string(name); }
};

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++n;
  return n;
}

gate open_gate() {
  auto made = gate::open();
  REQUIRE(made.ok());
  return std::move(made).value();
}

}  // namespace

TEST_CASE("endpoints in libzmq's notation; what is wrong is said") {
  gate box = open_gate();
  std::uint64_t cookie = 0;
  for (const char* good : {"tcp://127.0.0.1:0", "tcp://*:*", "tcp://lo:0", "ipc://@gate-good"}) {
    const auto made = box.listen(good, ++cookie);
    CHECK_MESSAGE(made.ok(), made.text());
    if (made.ok()) CHECK(!made->ends_with(":0"));
    if (made.ok()) CHECK(made->find('*') == std::string::npos);
  }
  for (const char* bad : {"udp://127.0.0.1:5", "tcp://127.0.0.1", "tcp://:5", "tcp://127.0.0.1:",
                          "tcp://127.0.0.1:70000", "tcp://127.0.0.1:5x", "ipc://", "ipc://@",
                          "ipc://*", "inproc://x", "tcp://no-such-interface:5"}) {
    const auto made = box.listen(bad, ++cookie);
    CHECK_MESSAGE(made.kind() == errc::invalid, bad);
    CHECK(made.text().find(bad) != std::string_view::npos);
  }
}

TEST_CASE("IPv6, and an address in use") {
  gate box = open_gate();
  const auto v6 = box.listen("tcp://[::1]:*", 1);
  if (!v6)
    MESSAGE("no IPv6 here: " << v6.text());
  else
    CHECK(v6->starts_with("tcp://[::1]:"));
  const auto first = box.listen("tcp://127.0.0.1:*", 2);
  REQUIRE(first.ok());
  const auto second = box.listen(*first, 3);
  CHECK(second.kind() == errc::in_use);
  CHECK(second.text().find(*first) != std::string_view::npos);
  CHECK(second.text().find("in use") != std::string_view::npos);
}

TEST_CASE("beyond peers_max connections are refused and counted; a place freed is a place") {
  gate_options options;
  options.peers_max = 2;
  gate_at at(options);
  fd one = connect_tcp(at.port()), two = connect_tcp(at.port());
  at.up(), at.up();
  const fd three = connect_tcp(at.port());
  CHECK(ended(three));
  CHECK(at.box.counts().refused == 1);
  one.close();
  at.down();
  const fd four = connect_tcp(at.port());
  at.up();
  CHECK(at.box.counts().accepted == 3);
}

TEST_CASE("out of descriptors: accepting pauses without spinning and goes on") {
  gate_options options;
  options.accept_pause_ms = 300;
  gate_at at(options);
  const fd waiting(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  std::vector<fd> fillers;
  const rlimit tight{open_descriptors() + 3, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &tight);
  for (fd next(::dup(0)); next; next = fd(::dup(0))) fillers.push_back(std::move(next));

  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(at.port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::uint64_t asleep = at.box.counts().wakeups;
  REQUIRE(::connect(waiting.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  const gate_event paused = at.next();
  const gate_event again = at.next();
  const std::uint64_t woken = at.box.counts().wakeups - asleep;
  fillers.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);

  CHECK(paused.what == gate_event::kind::accept_paused);
  CHECK(paused.text.find(at.where) != std::string::npos);
  CHECK(paused.text.find("Too many open files") != std::string::npos);
  CHECK(again.what == gate_event::kind::accept_paused);  // 300 ms later, not before
  CHECK(woken <= 6);
  gate_event event = at.next();
  while (event.what == gate_event::kind::accept_paused) event = at.next();
  CHECK(event.what == gate_event::kind::peer_up);
}

TEST_CASE("a thousand peers come and go and leave no descriptor behind") {
  gate_at at;
  const auto one_peer = [&at](int i) {
    relayed r(at);
    send_all(r.inner, "x");
    CHECK(receive(r.outer, 1) == "x");
    (i % 2 ? r.outer : r.inner).close();
    CHECK(ended(i % 2 ? r.inner : r.outer));
    (i % 2 ? r.inner : r.outer).close();
    at.down();
  };
  for (int i = 0; i < 10; ++i) one_peer(i);
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 1000; ++i) one_peer(i);
  CHECK(open_descriptors() < before + 8);  // the relays' spare pipes may have grown by a few
}

TEST_CASE("an idle gate sleeps") {
  gate_at at;
  relayed one(at), two(at);
  at.quiet(50);
  const std::uint64_t asleep = at.box.counts().wakeups;
  CHECK(at.quiet(1000));
  CHECK(at.box.counts().wakeups - asleep <= 1);
}

TEST_CASE("unlisten: no more are accepted, those that are there stay") {
  gate_at at;
  relayed r(at);
  at.box.unlisten(7);
  send_all(r.inner, "stays");
  CHECK(receive(r.outer, 5) == "stays");
  const std::uint64_t until = monotonic_now() + std::uint64_t{patience_ms} * ms_ns;
  int refused = 0;
  while (refused == 0 && monotonic_now() < until) {
    const fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(at.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(late.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) refused = errno;
  }
  CHECK(refused == ECONNREFUSED);
  send_all(r.outer, "still");
  CHECK(receive(r.inner, 5) == "still");
}

TEST_CASE("a socket file: stale ones are replaced, live ones and other files never") {
  const scratch here;
  const std::string path = here.file("s"), endpoint = "ipc://" + path;
  SUBCASE("stale") {
    listen_unix(path).close();
    CHECK(std::filesystem::exists(path));
    gate_at at({}, endpoint);
    relayed r(at, connect_unix(path));
    CHECK(at.where == endpoint);
  }
  SUBCASE("live") {
    const fd other = listen_unix(path);
    gate box = open_gate();
    const auto made = box.listen(endpoint, 1);
    CHECK(made.kind() == errc::in_use);
    CHECK(made.text().find(endpoint) != std::string_view::npos);
    connect_unix(path);  // still there
  }
  SUBCASE("live with a full backlog") {
    const fd other = listen_unix(path);
    ::listen(other.get(), 0);
    const fd first = connect_unix(path);
    gate box = open_gate();
    CHECK(box.listen(endpoint, 1).kind() == errc::in_use);
    CHECK(std::filesystem::exists(path));
  }
  SUBCASE("another file") {
    std::ofstream(path) << "mine";
    gate box = open_gate();
    CHECK(box.listen(endpoint, 1).kind() == errc::in_use);
    CHECK(std::filesystem::file_size(path) == 4);
  }
  SUBCASE("removed at the end") {
    { gate_at at({}, endpoint); }
    CHECK(!std::filesystem::exists(path));
  }
  SUBCASE("not removed if somebody else's by then") {
    fd other;
    {
      gate_at at({}, endpoint);
      ::unlink(path.c_str());
      other = listen_unix(path);
    }
    CHECK(std::filesystem::exists(path));
  }
}

TEST_CASE("a path of 107 bytes works, one of 108 is refused with both numbers") {
  const scratch here;
  const std::string base = here.file("");
  const std::string longest = base + std::string(107 - base.size(), 'p');
  gate box = open_gate();
  const auto made = box.listen("ipc://" + longest, 1);
  CHECK_MESSAGE(made.ok(), made.text());
  connect_unix(longest);
  const auto refused = box.listen("ipc://" + longest + "p", 2);
  CHECK(refused.kind() == errc::invalid);
  CHECK(refused.text().find("108") != std::string_view::npos);
  CHECK(refused.text().find("107") != std::string_view::npos);
}

TEST_CASE("the peer of an ipc listener is named by its process") {
  gate_at at({}, "ipc://@gate-name-" + std::to_string(::getpid()));
  const fd one = connect_unix(at.where.substr(6));
  CHECK(at.up().text ==
        "ipc pid " + std::to_string(::getpid()) + " uid " + std::to_string(::getuid()));
}
