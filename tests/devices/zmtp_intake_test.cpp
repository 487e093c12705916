// The intake of plain connections on bytes written here: versions, limits, pings, broken peers.
// Each stream of bytes comes whole, byte by byte, and cut in two at every place.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "devices/zmtp/intake.hpp"

namespace holdfast::zmtp {
namespace {

using namespace std::string_literals;

const std::string signature_text = "\xff"s + std::string(8, '\0') + "\x7f";

std::string greeting_of(const std::string& mechanism) {
  std::string made = signature_text + "\3\1" + mechanism;
  made.resize(greeting_bytes, '\0');
  return made;
}

std::string framed(const std::string& body, int flags = 0) {
  if (body.size() < 256)
    return std::string{static_cast<char>(flags), static_cast<char>(body.size())} + body;
  std::string made{static_cast<char>(flags | 2)};
  for (int shift = 56; shift >= 0; shift -= 8)
    made += static_cast<char>(body.size() >> shift & 0xff);
  return made + body;
}
constexpr int more = 1, command_flag = 4;

std::string ready_of(const std::string& type) {
  const std::string key = "Socket-Type";
  return framed("\5READY"s + static_cast<char>(key.size()) + key + "\0\0\0"s +
                    static_cast<char>(type.size()) + type,
                command_flag);
}
const std::string hello = greeting_of("NULL") + ready_of("PUSH");

/// What came of a stream of bytes.
struct account {
  std::vector<std::vector<std::string>> messages;
  int dropped = 0;
  std::string failure, sent;
  std::size_t held_most = 0;  // bytes that had to stand together
  friend bool operator==(const account& a, const account& b) {
    return a.messages == b.messages && a.dropped == b.dropped && a.failure == b.failure &&
           a.sent == b.sent;
  }
};

constexpr intake_limits limits{1000, 4, 5000};

class reader {
 public:
  explicit reader(const role& as = pulls) : from_(as, limits) {}
  void take(const std::string& bytes) {
    held_ += bytes;
    seen found = seen::progress;
    while (found != seen::incomplete && found != seen::failed) {
      std::size_t consumed = 0;
      got.held_most = std::max(got.held_most, held_.size());
      found =
          from_.look_at({reinterpret_cast<const std::byte*>(held_.data()), held_.size()}, consumed);
      if (found == seen::message) keep();
      got.dropped += found == seen::dropped;
      held_.erase(0, consumed);
      for (const std::byte b : from_.to_send()) got.sent += static_cast<char>(b);
      from_.to_send().clear();
    }
    got.failure = from_.failure();
  }
  account got;

 private:
  void keep() {
    std::vector<std::string> parts;
    std::uint64_t bytes = 0;
    for (const bytes_view part : from_.parts()) {
      parts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
      bytes += part.size();
    }
    CHECK(bytes == from_.bytes());
    got.messages.push_back(std::move(parts));
  }
  std::string held_;
  intake from_;
};

/// However it is cut, the same comes of it.
account read(const std::string& bytes, const role& as = pulls) {
  reader whole(as), slow(as);
  whole.take(bytes);
  for (const char one : bytes) slow.take({one});
  CHECK(slow.got == whole.got);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    reader halves(as);
    halves.take(bytes.substr(0, cut));
    halves.take(bytes.substr(cut));
    CHECK_MESSAGE(halves.got == whole.got, "cut at ", cut);
  }
  return slow.got;
}

}  // namespace

TEST_CASE("messages of one part and of several, empty ones included, come as they were sent") {
  const std::string large(700, 'x');
  const account got = read(hello + framed("one") + framed("") + framed("a", more) +
                           framed("", more) + framed("c") + framed(large));
  const std::vector<std::vector<std::string>> wanted{{"one"}, {""}, {"a", "", "c"}, {large}};
  CHECK(got.messages == wanted);
  CHECK(got.failure.empty());
  const std::string answer = signature_text + "\3\0NULL"s + std::string(48, '\0');
  CHECK(got.sent.substr(0, answer.size()) == answer);
  CHECK(got.sent.substr(answer.size()) == ready_of("PULL"));
}

TEST_CASE("a ping is answered, between the parts of a message too") {
  const std::string ping = framed("\4PING\0\7context"s, command_flag);
  const account got = read(hello + ping + framed("a", more) + ping + framed("b") + framed("c"));
  const std::vector<std::vector<std::string>> wanted{{"a", "b"}, {"c"}};
  CHECK(got.messages == wanted);
  const std::string pong = framed("\4PONGcontext", command_flag);
  CHECK(got.sent.ends_with(ready_of("PULL") + pong + pong));
}

TEST_CASE("pings between the parts of a message do not fill the memory") {
  reader patient;
  patient.take(hello + framed("a", more));
  for (int i = 0; i < 20 && patient.got.failure.empty(); ++i)
    patient.take(framed("\4PING\0\7"s + std::string(60'000, 'c'), command_flag | 2));
  CHECK(patient.got.failure.find("too many commands") != std::string::npos);
}

TEST_CASE("a peer of version 2.0 is served: no commands, an identity first") {
  const account got =
      read(signature_text + "\1\x8"s + framed("name") + framed("a", more) + framed("b"));
  const std::vector<std::vector<std::string>> wanted{{"a", "b"}};
  CHECK(got.messages == wanted);
  CHECK(got.sent == signature_text + "\3\7\0\0"s);
}

TEST_CASE("a message that is too large is dropped alone, and never held whole") {
  const std::string large(1001, 'x'), half(600, 'y');
  const account got =
      read(hello + framed("a") + framed(large) + framed("b") + framed(half, more) +
           framed(half, more) + framed("") + framed("c") + framed("1", more) + framed("2", more) +
           framed("3", more) + framed("4", more) + framed("5") + framed("d"));
  const std::vector<std::vector<std::string>> wanted{{"a"}, {"b"}, {"c"}, {"d"}};
  CHECK(got.messages == wanted);
  CHECK(got.dropped == 3);
  CHECK(got.held_most < 700);  // byte by byte: no more than a message that is taken
}

TEST_CASE("a router and a dealer read each other, of both versions") {
  const auto ends = [](const role& as) {
    const std::string own = as.own == routes.own ? "ROUTER" : "DEALER";
    const std::string peer = as.own == routes.own ? "DEALER" : "ROUTER";
    const char own_number = as.own == routes.own ? '\6' : '\5';
    const char peer_number = as.own == routes.own ? '\5' : '\6';
    const account got =
        read(greeting_of("NULL") + ready_of(peer) + framed("head", more) + framed("body"), as);
    CHECK(got.messages == std::vector<std::vector<std::string>>{{"head", "body"}});
    CHECK(got.sent.ends_with(ready_of(own)));
    const account old = read(signature_text + '\1' + peer_number + framed("") + framed("one"), as);
    CHECK(old.messages == std::vector<std::vector<std::string>>{{"one"}});
    CHECK(old.sent == signature_text + '\3' + own_number + std::string(2, '\0'));
    CHECK(read(hello, as).failure.find(peer) != std::string::npos);
  };
  ends(routes);
  ends(deals);
}

TEST_CASE("two of us shake hands: each says its version once it has seen the other's signature") {
  intake left(routes, limits), right(deals, limits);
  std::string to_right, to_left;
  const auto pass = [](intake& from, std::string& held, std::string& answers) {
    for (std::size_t consumed = 0; !held.empty(); held.erase(0, consumed)) {
      const seen found =
          from.look_at({reinterpret_cast<const std::byte*>(held.data()), held.size()}, consumed);
      for (const std::byte b : from.to_send()) answers += static_cast<char>(b);
      from.to_send().clear();
      REQUIRE(found != seen::failed);
      if (found == seen::incomplete) return;
    }
  };
  to_left = to_right = signature_text;
  left.to_send().clear();
  right.to_send().clear();
  for (int round = 0; round < 4; ++round) {
    pass(left, to_left, to_right);
    pass(right, to_right, to_left);
  }
  CHECK((left.ready() && right.ready()));
}

TEST_CASE("who cannot be served is told apart") {
  CHECK(read("GET / HTTP/1.1\r\n\r\n").failure.find("no ZMTP") != std::string::npos);
  CHECK(read(signature_text + "\0"s).failure.find("older than 2.0") != std::string::npos);
  CHECK(read(greeting_of("CURVE")).failure.find("CURVE") != std::string::npos);
  CHECK(read(signature_text + "\1\7"s).failure.find("no PUSH") != std::string::npos);
  const account dealer = read(greeting_of("NULL") + ready_of("DEALER"));
  CHECK(dealer.failure.find("DEALER") != std::string::npos);
  CHECK(dealer.sent.ends_with(framed("\5ERROR\x13Invalid socket type", command_flag)));
  CHECK(read(greeting_of("NULL") + framed("x")).failure.find("READY") != std::string::npos);
  CHECK(read(greeting_of("NULL") + framed("\5READY\xff", command_flag)).messages.empty());
  CHECK(read(hello + framed(std::string(5001, 'x'))).failure.find("5001") != std::string::npos);
  CHECK(read(hello + framed("", command_flag)).failure.find("broken") != std::string::npos);
}

TEST_CASE("a PULL is served by a PUSH, of both versions, and says nothing but pings") {
  const std::string pull = greeting_of("NULL") + ready_of("PULL");
  const std::string ping = framed("\4PING\0\7context"s, command_flag);
  const account got = read(pull + ping, pushes);
  CHECK(got.failure.empty());
  CHECK(got.sent.ends_with(ready_of("PUSH") + framed("\4PONGcontext", command_flag)));
  const account old = read(signature_text + "\1\7"s + framed("name"), pushes);
  CHECK(old.failure.empty());
  CHECK(old.sent == signature_text + "\3\x8\0\0"s);
  CHECK(read(pull + framed("x"), pushes).failure.find("is a PULL") != std::string::npos);
  CHECK(read(hello, pushes).failure.find("PUSH") != std::string::npos);
  CHECK(read(signature_text + "\1\x8"s, pushes).failure.find("no PULL") != std::string::npos);
}

}  // namespace holdfast::zmtp
