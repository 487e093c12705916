// A whole device on real sockets and a real journal, driven turn by turn in one process.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "devices/admin/ask.hpp"
#include "devices/loop/device_loop.hpp"
#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"
#include "tests/take.hpp"
#include "tests/temporary_directory.hpp"

using namespace holdfast;
using testing::take;
using testing::temporary_directory;

namespace {

constexpr std::uint64_t patience_ns = 20 * second_ns;

device_options options_for(const std::string& directory, plain_tracking peers) {
  device_options o;
  o.name = "lab";
  o.data = directory + "/data";
  o.segment_bytes = 1 << 20;
  channel_options c;
  c.settings().name = "work";
  c.settings().durability = level::process;
  c.in.push_back({"@tcp://127.0.0.1:*", "", 1000});
  plain_output out;
  out.endpoint = "@tcp://127.0.0.1:*";
  out.peers = peers;
  c.out.push_back(out);
  if (peers == plain_tracking::ack_back) c.ack_back = "@tcp://127.0.0.1:*";
  o.channels.push_back(c);
  return o;
}

struct bench {
  context zmq = take(context::open());
  std::unique_ptr<device_loop> lab;
  explicit bench(const device_options& o) : lab(take(device_loop::open(zmq, o))) {}

  endpoint far(const std::string& role) const {
    for (const bound_endpoint& e : lab->endpoints())
      if (e.role == role) return take(parse_endpoint(e.endpoint, endpoint_role::connect));
    FAIL("no endpoint of role " << role);
    return {};
  }
  socket peer(socket_kind kind, const std::string& role) {
    socket made = take(socket::open(zmq, kind, {}));
    REQUIRE(made.connect(far(role)).ok());
    return made;
  }
  /// Turns the device until `done` says so.
  void until(const std::function<bool()>& done) {
    const std::uint64_t last = monotonic_now() + patience_ns;
    while (!done()) {
      REQUIRE(monotonic_now() < last);
      lab->turn(ms_ns);
    }
  }
  void push(socket& by, const std::string& text) {
    const part_out parts[] = {{as_bytes_view(text.data(), text.size()), nullptr}, {{}, nullptr}};
    until([&] { return by.send(parts) == io::done; });
  }
  std::vector<buffer_ref> pull(socket& by) {
    std::vector<buffer_ref> parts;
    until([&] { return by.receive(parts, 1 << 30) == io::done; });
    return parts;
  }
};

std::string text(const buffer_ref& part) {
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

void pass_through(plain_tracking peers) {
  const temporary_directory dir;
  bench b(options_for(dir.path, peers));
  socket from = b.peer(socket_kind::push, "in");
  for (int i = 0; i < 300; ++i) b.push(from, "message " + std::to_string(i));
  socket to = b.peer(socket_kind::pull, "out");
  for (int i = 0; i < 300; ++i) {
    const auto parts = b.pull(to);
    REQUIRE(parts.size() == 2);
    REQUIRE(text(parts[0]) == "message " + std::to_string(i));
    REQUIRE(parts[1].size() == 0);
  }
  CHECK(b.lab->finish().ok());
}

void store_ten(bench& b) {
  socket from = b.peer(socket_kind::push, "in");
  for (int i = 0; i < 10; ++i) b.push(from, std::to_string(i));
  b.until([&] { return b.lab->status_json().find("\"in\":10") != std::string::npos; });
}

void check_ten(bench& b) {
  socket to = b.peer(socket_kind::pull, "out");
  for (int i = 0; i < 10; ++i) CHECK(text(b.pull(to)[0]) == std::to_string(i));
}

}  // namespace

TEST_CASE("plain in, journal, plain out: exact and in order, shared") {
  pass_through(plain_tracking::shared);
}

TEST_CASE("plain in, journal, plain out: exact and in order, separate") {
  pass_through(plain_tracking::separate);
}

TEST_CASE("what was stored before an orderly end is there after it, opened clean") {
  const temporary_directory dir;
  const device_options o = options_for(dir.path, plain_tracking::shared);
  {
    bench b(o);
    store_ten(b);
    CHECK(b.lab->finish().ok());
  }
  bench b(o);
  CHECK(b.lab->opened().clean);
  check_ten(b);
}

TEST_CASE("what was stored is there after the device vanished without a word") {
  const temporary_directory dir;
  const device_options o = options_for(dir.path, plain_tracking::shared);
  {
    bench b(o);
    store_ten(b);
    b.until([&] { return b.lab->status_json().find("\"written\":0") == std::string::npos; });
    for (int i = 0; i < 5; ++i) b.lab->turn(5 * ms_ns);
  }
  bench b(o);
  CHECK_FALSE(b.lab->opened().created);
  check_ten(b);
}

TEST_CASE("ack_back: a message ends when its id comes back, else it returns with the device") {
  const temporary_directory dir;
  const device_options o = options_for(dir.path, plain_tracking::ack_back);
  {
    bench b(o);
    socket from = b.peer(socket_kind::push, "in");
    socket to = b.peer(socket_kind::pull, "out");
    socket back = b.peer(socket_kind::push, "ack_back");
    for (int i = 0; i < 4; ++i) b.push(from, std::to_string(i));
    for (int i = 0; i < 4; ++i) {
      const auto parts = b.pull(to);
      REQUIRE(parts.size() == 3);
      CHECK(text(parts[0]) == std::to_string(i));
      REQUIRE(parts[2].size() == 16);
      CHECK(load<std::uint64_t>(parts[2].data() + 8) == static_cast<std::uint64_t>(i + 1));
      const part_out id[] = {{parts[2].bytes(), &parts[2]}};
      if (i != 2) b.until([&] { return back.send(id) == io::done; });
    }
    b.until([&] { return b.lab->status_json().find("\"acked\":3") != std::string::npos; });
    CHECK(b.lab->finish().ok());
  }
  bench b(o);
  socket to = b.peer(socket_kind::pull, "out");
  CHECK(text(b.pull(to)[0]) == "2");
}

TEST_CASE("a message beyond max_message is thrown away and counted, the next one passes") {
  const temporary_directory dir;
  device_options o = options_for(dir.path, plain_tracking::shared);
  o.channels[0].settings().max_message = 1000;
  bench b(o);
  socket from = b.peer(socket_kind::push, "in");
  socket to = b.peer(socket_kind::pull, "out");
  const std::string half(600, 'x');
  const part_out parts[] = {{as_bytes_view(half.data(), 600), nullptr},
                            {as_bytes_view(half.data(), 600), nullptr}};
  b.until([&] { return from.send(parts) == io::done; });
  b.push(from, "small");
  CHECK(text(b.pull(to)[0]) == "small");
  CHECK(b.lab->status_json().find("\"too_large\":1") != std::string::npos);
}

TEST_CASE("the admin socket answers while the device runs, and says when nobody is there") {
  const temporary_directory dir;
  bench b(options_for(dir.path, plain_tracking::shared));
  std::thread loop([&] { CHECK(b.lab->run().ok()); });
  const auto answer = ask_status(b.zmq, dir.path + "/data", patience_ns);
  b.lab->stop();
  loop.join();
  REQUIRE(answer.ok());
  CHECK(answer->find("\"name\":\"lab\"") != std::string::npos);
  b.lab.reset();
  CHECK(ask_status(b.zmq, dir.path + "/data", patience_ns).kind() == errc::not_found);
  const std::string elsewhere = "ipc://" + dir.path + "/data/admin";
  CHECK(ask_status(b.zmq, elsewhere, 50 * ms_ns).kind() == errc::timeout);
}

TEST_CASE("a data directory too long for a socket path gets a name of its own") {
  const temporary_directory dir;
  device_options o = options_for(dir.path, plain_tracking::shared);
  o.data = dir.path + "/" + std::string(120, 'd');
  bench b(o);
  std::thread loop([&] { CHECK(b.lab->run().ok()); });
  const auto answer = ask_status(b.zmq, o.data, patience_ns);
  b.lab->stop();
  loop.join();
  REQUIRE(answer.ok());
  CHECK(answer->find("\"name\":\"lab\"") != std::string::npos);
}

TEST_CASE("opening fails with the device, the object and the reason") {
  const temporary_directory dir;
  context zmq = take(context::open());
  device_options o = options_for(dir.path, plain_tracking::shared);
  o.channels[0].in[0].endpoint = "@tcp://127.0.0.1";
  const auto bad = device_loop::open(zmq, o);
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.text().find("device 'lab'") != std::string_view::npos);
  CHECK(bad.text().find("port is missing") != std::string_view::npos);
  o = options_for(dir.path, plain_tracking::shared);
  const auto first = device_loop::open(zmq, o);
  REQUIRE(first.ok());
  CHECK(device_loop::open(zmq, o).kind() == errc::in_use);
}
