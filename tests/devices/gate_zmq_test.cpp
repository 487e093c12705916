// The gate with ZeroMQ on both sides: libzmq's private sockets here, unmodified pyzmq peers in
// processes of their own that can be killed and stopped.
#include <doctest/doctest.h>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <zmq.h>

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"
#include "tests/devices/gate_fixture.hpp"
#include "tests/take.hpp"

using namespace gate_test;
using holdfast::testing::take;

namespace {

using libzmq_socket = holdfast::socket;  // beside the system's
using parts = std::vector<std::string>;

/// A pyzmq process and its standard streams.
class foreign_peer {
 public:
  foreign_peer(const char* kind, const std::string& endpoint, const std::string& key = "") {
    int to[2], from[2];
    REQUIRE(::pipe2(to, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(from, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, to[0], 0);
    posix_spawn_file_actions_adddup2(&files, from[1], 1);
    std::string words[] = {"/usr/bin/python3", "-B", HOLDFAST_GATE_PEER, kind, endpoint, key};
    char* arguments[7] = {};
    for (std::size_t i = 0; i < (key.empty() ? 5 : 6); ++i) arguments[i] = words[i].data();
    REQUIRE(::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    ::close(to[0]);
    ::close(from[1]);
    in_ = fd(to[1]);
    out_ = ::fdopen(from[0], "r");
    REQUIRE(line() == "connected");
  }
  ~foreign_peer() {
    signal(SIGKILL);
    std::fclose(out_);
    ::waitpid(pid_, nullptr, 0);
  }

  void signal(int number) const { ::kill(pid_, number); }
  void tell(const std::string& command) const {
    const std::string text = command + "\n";
    REQUIRE(::write(in_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  parts next() {
    std::vector<std::size_t> sizes;
    const std::string text = line();
    for (std::size_t at = 0; at < text.size(); at = text.find(' ', at) + 1) {
      sizes.push_back(std::stoul(text.substr(at)));
      if (text.find(' ', at) == std::string::npos) break;
    }
    parts got;
    for (const std::size_t size : sizes) {
      std::string part(size, '\0');
      REQUIRE(std::fread(part.data(), 1, size, out_) == size);
      got.push_back(std::move(part));
    }
    return got;
  }

 private:
  std::string line() {
    char text[4096] = {};
    REQUIRE(std::fgets(text, sizeof text, out_) != nullptr);
    return std::string(text, std::strlen(text) - 1);
  }
  pid_t pid_ = 0;
  fd in_;
  FILE* out_ = nullptr;
};

bool writable(const libzmq_socket& what) {
  poller p;
  p.add(what, false, true);
  return p.wait(std::uint64_t{patience_ms} * ms_ns) && p.writable(0);
}

io send_now(libzmq_socket& by, const parts& message) {
  std::vector<part_out> out;
  for (const auto& part : message)
    out.push_back({as_bytes_view(part.data(), part.size()), nullptr});
  return by.send(out);
}

void push(libzmq_socket& by, const parts& message) {
  REQUIRE(writable(by));
  REQUIRE(send_now(by, message) == io::done);
}

/// The device's side: a private socket a peer.
struct device_side : gate_at {
  using gate_at::gate_at;
  context zmq = take(context::open());

  struct served {
    gate_peer peer = 0;
    libzmq_socket own;
  };
  served serve(socket_kind kind = socket_kind::push, int hwm = 16) {
    return serve(kind, hwm, [](libzmq_socket&) {});
  }
  template <class Prepare>
  served serve(socket_kind kind, int hwm, Prepare&& prepare) {
    const gate_event event = up();
    socket_options options;
    options.send_hwm = hwm;
    options.own_process_only = true;
    served made{event.peer, take(libzmq_socket::open(zmq, kind, options))};
    prepare(made.own);
    REQUIRE(made.own.bind({endpoint_role::bind, endpoint_transport::ipc, event.endpoint}).ok());
    box.ready(event.peer);
    REQUIRE(writable(made.own));  // the handshake is through
    return made;
  }
};

std::string numbered(int peer, int n) {
  return "peer " + std::to_string(peer) + " message " + std::to_string(n);
}

bool have_pyzmq() {
  static const bool there = std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") == 0;
  if (!there) std::puts("SKIP: pyzmq is not installed for /usr/bin/python3");
  return there;
}

}  // namespace

TEST_CASE("each unmodified peer behind one address gets its own private socket's messages") {
  if (!have_pyzmq()) return;
  device_side device;
  std::vector<std::unique_ptr<foreign_peer>> peers;
  std::vector<device_side::served> sockets;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<foreign_peer>("pull", device.where));
    sockets.push_back(device.serve());
  }
  const std::string mebibyte(1 << 20, 'm');
  for (std::size_t i = 0; i < 3; ++i) {
    const int own = static_cast<int>(i);
    peers[i]->tell("take 53");
    for (int n = 0; n < 50; ++n) push(sockets[i].own, {numbered(own, n)});
    push(sockets[i].own, {"", "two", "", mebibyte, ""});
    push(sockets[i].own, {""});
    push(sockets[i].own, {std::string(64, 'a'), numbered(own, 99)});
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const int own = static_cast<int>(i);
    for (int n = 0; n < 50; ++n) REQUIRE(peers[i]->next() == parts{numbered(own, n)});
    CHECK(peers[i]->next() == parts{"", "two", "", mebibyte, ""});
    CHECK(peers[i]->next() == parts{""});
    CHECK(peers[i]->next() == parts{std::string(64, 'a'), numbered(own, 99)});
  }
}

TEST_CASE("64 MiB pass exact, over TCP and over ipc") {
  if (!have_pyzmq()) return;
  std::string big(64u << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 2654435761u >> 13);
  const auto pass = [&big](device_side& device) {
    foreign_peer peer("pull", device.where);
    auto served = device.serve();
    peer.tell("take 1");
    push(served.own, {"head", big, ""});
    const parts got = peer.next();
    REQUIRE(got.size() == 3);
    CHECK((got[0] == "head" && got[1] == big && got[2].empty()));
    CHECK(becomes_idle(device.box, served.peer));
  };
  SUBCASE("tcp") {
    device_side device;
    pass(device);
  }
  SUBCASE("ipc") {
    device_side device({}, "ipc://@gate-zmq-" + std::to_string(::getpid()));
    pass(device);
  }
  SUBCASE("copied") {
    gate_options options;
    options.copy = true;
    device_side device(options);
    pass(device);
  }
}

TEST_CASE("a killed peer is named at once; the others go on") {
  if (!have_pyzmq()) return;
  device_side device;
  auto victim = std::make_unique<foreign_peer>("pull", device.where);
  const auto doomed = device.serve();
  foreign_peer other("pull", device.where);
  auto lives = device.serve();
  const std::uint64_t killed = monotonic_now();
  victim->signal(SIGKILL);
  const gate_event down = device.down();
  CHECK(monotonic_now() - killed < 5 * second_ns);  // not the 30 s of a vanished one
  CHECK(down.peer == doomed.peer);
  CHECK((down.end == gate_end::closed || down.end == gate_end::reset));
  other.tell("take 1");
  push(lives.own, {"on"});
  CHECK(other.next() == parts{"on"});
}

TEST_CASE("a stopped peer holds little and holds up nobody; it goes on where it was") {
  if (!have_pyzmq()) return;
  device_side device;
  foreign_peer stopped("pull", device.where);
  auto stuck = device.serve();
  foreign_peer other("pull", device.where);
  auto lives = device.serve();
  stopped.tell("take 100000");
  push(stuck.own, {"first"});
  CHECK(stopped.next() == parts{"first"});
  stopped.signal(SIGSTOP);
  const std::string filler(10'000, 'f');
  int taken = 0;
  // Kernel buffers fill up: full is when libzmq has taken nothing for 200 ms.
  poller p;
  p.add(stuck.own, false, true);
  while (taken < 5000 && p.wait(200 * ms_ns) && p.writable(0))
    if (send_now(stuck.own, {filler, std::to_string(taken)}) == io::done) ++taken;
  CHECK(taken < 2000);  // 20 MB: mostly the peer's kernel receive buffer
  CHECK(!device.box.unsent(stuck.peer).idle);
  CHECK(device.box.unsent(stuck.peer).bytes > 0);
  other.tell("take 1000");
  for (int n = 0; n < 1000; ++n) push(lives.own, {numbered(1, n)});
  for (int n = 0; n < 1000; ++n) REQUIRE(other.next() == parts{numbered(1, n)});
  stopped.signal(SIGCONT);
  for (int n = 0; n < taken; ++n) REQUIRE(stopped.next() == parts{filler, std::to_string(n)});
  CHECK(becomes_idle(device.box, stuck.peer));
}

TEST_CASE("a relay that drains wakes the device that asked") {
  if (!have_pyzmq()) return;
  device_side device;
  foreign_peer peer("pull", device.where);
  auto served = device.serve();
  peer.tell("take 1");
  device.box.wake_when_drained(served.peer);
  push(served.own, {std::string(8 << 20, 'd')});
  CHECK(peer.next()[0].size() == 8u << 20);
  const gate_event drained = device.next();
  CHECK(drained.what == gate_event::kind::peer_drained);
  CHECK(drained.peer == served.peer);
  CHECK(device.box.unsent(served.peer).waiting <= 256 * 1024);
}

TEST_CASE("an idle peer is idle, costs nothing, and gets the next message") {
  if (!have_pyzmq()) return;
  device_side device;
  foreign_peer peer("pull", device.where);
  auto served = device.serve();
  CHECK(becomes_idle(device.box, served.peer));
  const std::uint64_t asleep = device.box.counts().wakeups;
  CHECK(device.quiet(500));
  CHECK(device.box.counts().wakeups - asleep <= 1);
  peer.tell("take 1");
  push(served.own, {"late"});
  CHECK(peer.next() == parts{"late"});
}

TEST_CASE("a peer that comes back is a new peer") {
  if (!have_pyzmq()) return;
  device_side device;
  gate_peer before = 0;
  {
    foreign_peer peer("pull", device.where);
    before = device.serve().peer;
    device.down();  // the private socket closed with LINGER 0; the peer connects again
    auto again = device.serve();
    CHECK(again.peer != before);
    peer.tell("take 1");
    push(again.own, {"again"});
    CHECK(peer.next() == parts{"again"});
    peer.tell("quit");
    CHECK(device.down().peer == again.peer);
  }
}

TEST_CASE("a worker's last reply can be received after its peer_down") {
  if (!have_pyzmq()) return;
  device_side device;
  foreign_peer worker("rep", device.where);
  auto served = device.serve(socket_kind::dealer);
  worker.tell("reply done");
  push(served.own, {"", "work"});
  const gate_event down = device.down();
  CHECK(down.peer == served.peer);
  std::vector<buffer_ref> got;
  REQUIRE(served.own.receive(got, 1000) == io::done);  // without waiting: it is there
  REQUIRE(got.size() == 2);
  CHECK(std::memcmp(got[1].data(), "done", 4) == 0);
}

TEST_CASE("CURVE passes untouched: the private socket is the server") {
  if (!have_pyzmq()) return;
  if (!zmq_has("curve")) {
    std::puts("SKIP: this libzmq has no CURVE");
    return;
  }
  char open_key[41], secret_key[41];
  REQUIRE(zmq_curve_keypair(open_key, secret_key) == 0);
  device_side device;
  foreign_peer peer("curve", device.where, open_key);
  auto served = device.serve(socket_kind::push, 16, [&secret_key](libzmq_socket& own) {
    const int on = 1;
    REQUIRE(zmq_setsockopt(own.handle(), ZMQ_CURVE_SERVER, &on, sizeof on) == 0);
    REQUIRE(zmq_setsockopt(own.handle(), ZMQ_CURVE_SECRETKEY, secret_key, 40) == 0);
  });
  peer.tell("take 1");
  push(served.own, {"secret", std::string(1 << 20, 's')});
  CHECK(peer.next() == parts{"secret", std::string(1 << 20, 's')});
}

TEST_CASE("a peer that talks nonsense is thrown out by libzmq and reported; it never was one") {
  device_side device;
  const fd peer = connect_tcp(device.port());
  const gate_event event = device.up();
  libzmq_socket own = take(libzmq_socket::open(device.zmq, socket_kind::push, {}));
  REQUIRE(own.bind({endpoint_role::bind, endpoint_transport::ipc, event.endpoint}).ok());
  device.box.ready(event.peer);
  // A ZMTP 3 greeting with a mechanism that is none. (Older greetings are hardly checked at all.)
  send_all(peer, std::string("\xff\0\0\0\0\0\0\0\0\x7f\x03", 11) + std::string(100, '!'));
  const gate_event down = device.down();
  CHECK(down.peer == event.peer);
  CHECK(send_now(own, {"nobody"}) == io::would_block);
}

TEST_CASE("throughput through the gate, beside a direct connection") {
  constexpr int count = 100'000;
  const std::string payload(64, 'p');
  const auto run = [&](const context& zmq, libzmq_socket& from, const std::string& where,
                       auto&& accept) {
    libzmq_socket to = take(libzmq_socket::open(zmq, socket_kind::pull, {}));
    REQUIRE(to.connect({endpoint_role::connect, endpoint_transport::tcp, where}).ok());
    accept();
    const std::uint64_t begin = monotonic_now();
    poller p;
    p.add(from, false, true);
    p.add(to, true, false);
    std::vector<buffer_ref> got;
    int sent = 0, received = 0;
    while (received < count) {
      p.want(0, false, sent < count);
      REQUIRE(p.wait(std::uint64_t{patience_ms} * ms_ns));
      for (int i = 0; i < 500 && sent < count && send_now(from, {payload}) == io::done; ++i) ++sent;
      while (to.receive(got, 1000) == io::done) ++received;
    }
    const double seconds = static_cast<double>(monotonic_now() - begin) / second_ns;
    return count / seconds;
  };
  const context zmq = take(context::open());
  libzmq_socket direct = take(libzmq_socket::open(zmq, socket_kind::push, {}));
  REQUIRE(direct.bind({endpoint_role::bind, endpoint_transport::tcp, "tcp://127.0.0.1:*"}).ok());
  const double straight = run(zmq, direct, direct.last_endpoint(), [] {});
  device_side device;
  const context other = take(context::open());
  auto own = std::make_unique<device_side::served>();
  const double through =
      run(other, own->own, device.where, [&] { *own = device.serve(socket_kind::push, 1000); });
  MESSAGE("64 B: direct " << straight << " messages/s, through the gate " << through);
  CHECK(through > straight / 20);
}
