// The outbox on a pair of sockets that take little at a time: every byte once, in order, and which
// message was written whole.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "devices/gate/fd.hpp"
#include "devices/zmtp/outbox.hpp"
#include "devices/zmtp/wire.hpp"

namespace holdfast::zmtp {
namespace {

using message = std::vector<std::string>;

struct narrow_pair {
  narrow_pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    near = fd(both[0]);
    far = fd(both[1]);
    const int size = 4096;
    ::setsockopt(near.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  /// At most so many bytes of what is there.
  std::string read(std::size_t most) const {
    std::string got(most, '\0');
    const ssize_t n = ::recv(far.get(), got.data(), most, 0);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }
  fd near, far;
};

std::string on_the_wire(const message& parts) {
  std::string made;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t size = parts[i].size();
    const char more = i + 1 < parts.size() ? 1 : 0;
    if (size < 256) {
      made += {more, static_cast<char>(size)};
    } else {
      made += static_cast<char>(more | 2);
      for (int shift = 56; shift >= 0; shift -= 8) made += static_cast<char>(size >> shift & 0xff);
    }
    made += parts[i];
  }
  return made;
}

void add(outbox& to, const message& parts, std::uint64_t mark) {
  std::vector<buffer_ref> keep;
  std::vector<part_out> all;
  for (const std::string& part : parts)
    keep.push_back(copy_to_buffer({reinterpret_cast<const std::byte*>(part.data()), part.size()}));
  for (const buffer_ref& one : keep) all.push_back({one.bytes(), &one});
  to.add(all, mark);
}

message drawn(std::mt19937_64& random) {
  constexpr std::size_t sizes[] = {0, 1, 64, 255, 256, 2048, 2049, 5000, 40'000};
  message parts(1 + random() % 4);
  for (std::string& part : parts)
    part.assign(sizes[random() % std::size(sizes)], static_cast<char>('a' + random() % 26));
  return parts;
}

}  // namespace

TEST_CASE("outbox: whatever is added leaves once, in order, and is told whole when it is") {
  std::mt19937_64 random(20261128);
  const narrow_pair wire;
  outbox out;
  for (int round = 0; round < 60; ++round) {
    std::string wanted, got;
    std::vector<std::size_t> ends;
    for (std::uint64_t mark = 0; mark < 1 + random() % 60; ++mark) {
      const message parts = drawn(random);
      add(out, parts, mark);
      wanted += on_the_wire(parts);
      ends.push_back(wanted.size());
    }
    CHECK(out.bytes() == wanted.size());
    CHECK(out.messages() == ends.size());
    std::size_t written = 0;
    while (!out.empty()) {
      const io outcome = out.flush(wire.near.get());
      REQUIRE(outcome != io::failed);
      const std::uint64_t whole = out.first_unwritten(ends.size());
      // What is told lies between what has arrived and what was added.
      CHECK((whole == ends.size() || ends[whole] > got.size()));
      for (std::string more = wire.read(3000); !more.empty(); more = wire.read(3000)) got += more;
      written = got.size();
      CHECK((whole == 0 || ends[whole - 1] <= written));
      CHECK((whole == ends.size()) == (written == wanted.size()));
    }
    CHECK(got == wanted);
  }
}

TEST_CASE("outbox: a peer that never takes all keeps nothing of what it took") {
  std::mt19937_64 random(20261129);
  const narrow_pair wire;
  outbox out;
  std::string wanted, got;
  std::size_t messages_most = 0;
  for (std::uint64_t mark = 0; mark < 4000; ++mark) {
    const message parts = drawn(random);
    add(out, parts, mark);
    wanted += on_the_wire(parts);
    while (out.bytes() > 100'000) {
      REQUIRE(out.flush(wire.near.get()) == io::would_block);
      got += wire.read(3000);
    }
    CHECK(out.bytes() <= 100'000);
    messages_most = std::max(messages_most, out.messages());
  }
  CHECK(messages_most < 1000);  // of 4000
  while (out.flush(wire.near.get()) == io::would_block) got += wire.read(3000);
  for (std::string more = wire.read(3000); !more.empty(); more = wire.read(3000)) got += more;
  CHECK(got == wanted);
}

TEST_CASE("outbox: bytes of no message go between two") {
  const narrow_pair wire;
  outbox out;
  add(out, {"one"}, 0);
  out.add(as_bytes_view("PONG", 4));
  add(out, {"two"}, 1);
  CHECK(out.messages() == 2);
  CHECK(out.flush(wire.near.get()) == io::done);
  CHECK(wire.read(100) == on_the_wire({"one"}) + "PONG" + on_the_wire({"two"}));
  CHECK(out.first_unwritten(2) == 2);
}

TEST_CASE("outbox: a peer that is gone is a failure, and nothing is told that was not written") {
  narrow_pair wire;
  outbox out;
  wire.far.close();
  add(out, {"one"}, 0);
  CHECK(out.flush(wire.near.get()) == io::failed);
  CHECK(out.first_unwritten(1) == 0);
}

TEST_CASE("outbox: a large part stays where it is, and is kept until it is written") {
  narrow_pair wire;
  outbox out;
  const std::string large(100'000, 'x');
  add(out, {large}, 0);  // its buffer has no other owner by now
  std::string got;
  while (out.flush(wire.near.get()) == io::would_block) got += wire.read(5000);
  for (std::string more = wire.read(5000); !more.empty(); more = wire.read(5000)) got += more;
  CHECK(got == on_the_wire({large}));
}

}  // namespace holdfast::zmtp
