// A connection on a pair of sockets: what is kept of its messages stays as it came, whatever is
// received behind it, and shares the memory it was received into.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "devices/zmtp/connection.hpp"
#include "tests/allocations.hpp"

namespace holdfast::zmtp {
namespace {

constexpr std::uint64_t bytes_max = 64 << 20;
constexpr intake_limits limits{bytes_max, 8, bytes_max};

/// A ROUTER and a DEALER that have shaken hands.
struct couple {
  couple() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    near = std::make_unique<connection>(routes, fd(both[0]), "near", limits);
    far = std::make_unique<connection>(deals, fd(both[1]), "far", limits);
    for (int i = 0; i < 4; ++i) {
      near->set_readable(false);
      CHECK(near->advance() == seen::incomplete);
      far->set_readable(false);
      CHECK(far->advance() == seen::incomplete);
    }
    REQUIRE((near->ready() && far->ready()));
  }
  std::unique_ptr<connection> near, far;
};

std::string drawn(std::mt19937_64& random) {
  constexpr std::size_t sizes[] = {0,      1,       100,     4095,    4096,     20'000,
                                   65'500, 100'000, 262'144, 300'000, 1'500'000};
  const std::size_t most = sizes[random() % std::size(sizes)];
  std::string made(most == 0 ? 0 : most - random() % (most / 10 + 1), '\0');
  const auto start = static_cast<unsigned char>(random());
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>(start + i % 251);
  return made;
}

std::string text_of(const buffer_ref& from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

}  // namespace

TEST_CASE("connection: what is kept stays as it came") {
  std::mt19937_64 random(20261130);
  couple both;
  std::vector<std::string> sent;
  std::vector<buffer_ref> kept;
  const auto receive = [&] {
    both.near->set_readable(false);
    while (both.near->advance() == seen::message)
      for (const bytes_view part : both.near->parts()) kept.push_back(both.near->kept(part));
  };
  for (int round = 0; round < 300; ++round) {
    const std::string head = drawn(random).substr(0, 60), body = drawn(random);
    const buffer_ref owner = copy_to_buffer(as_bytes_view(body.data(), body.size()));
    const part_out parts[] = {{as_bytes_view(head.data(), head.size()), nullptr},
                              {owner.bytes(), &owner}};
    both.far->out().add(parts, 0);
    sent.push_back(head);
    sent.push_back(body);
    if (random() % 3 == 0) continue;  // several at once
    while (both.far->flush() == io::would_block) receive();
    receive();
    const std::size_t left = kept.size() > 40 ? kept.size() - 40 : 0;  // most are let go of
    for (std::size_t i = 0; i < left; ++i)
      if (random() % 2) kept[i] = copy_to_buffer(kept[i].bytes());
  }
  while (both.far->flush() == io::would_block) receive();
  receive();
  REQUIRE(kept.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(text_of(kept[i]) == sent[i]);
}

TEST_CASE("connection: what is detached has room around it, and takes nothing of its neighbours") {
  std::mt19937_64 random(20261128);
  couple both;
  std::vector<std::string> sent;
  std::vector<buffer_ref> got;
  std::size_t detached = 0;
  const auto receive = [&] {
    both.near->set_readable(false);
    while (both.near->advance() == seen::message) {
      const roomy_part own = both.near->detach(16, 16);
      if (!own) {
        got.push_back(copy_to_buffer(both.near->parts()[0]));
        continue;
      }
      std::memset(own.at - 16, 0xee, 16);
      std::memset(own.at + own.size, 0xee, 16);
      got.push_back(buffer_ref(own.holder.owner(), {own.at, own.size}));
      ++detached;
    }
  };
  for (int round = 0; round < 600; ++round) {
    const std::string body = drawn(random);
    const buffer_ref owner = copy_to_buffer(as_bytes_view(body.data(), body.size()));
    const part_out part{owner.bytes(), &owner};
    both.far->out().add({&part, 1}, 0);
    sent.push_back(body);
    if (random() % 3 == 0) continue;  // several at once
    while (both.far->flush() == io::would_block) receive();
    receive();
    if (random() % 2 && got.size() > 40)
      got[got.size() - 40] = copy_to_buffer(got[got.size() - 40].bytes());
  }
  while (both.far->flush() == io::would_block) receive();
  receive();
  REQUIRE(got.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(text_of(got[i]) == sent[i]);
  CHECK(detached > 100);
}

TEST_CASE("connection: a block that comes behind another is not copied") {
  couple both;
  const std::string body(200'000, 'b');
  const buffer_ref owner = copy_to_buffer(as_bytes_view(body.data(), body.size()));
  const part_out parts[] = {{as_bytes_view("head", 4), nullptr}, {owner.bytes(), &owner}};
  for (int i = 0; i < 20; ++i) {
    both.far->out().add(parts, 0);
    seen found = seen::incomplete;
    while (found != seen::message) {
      (void)both.far->flush();
      both.near->set_readable(false);
      found = both.near->advance();
      REQUIRE(found != seen::failed);
    }
    const bytes_view part = both.near->parts()[1];
    CHECK(both.near->kept(part).data() == part.data());
    CHECK(both.near->kept(both.near->parts()[0]).data() != both.near->parts()[0].data());
  }
}

TEST_CASE("connection: a very large message moves a few times, not with each read") {
  couple both;
  const std::string body(bytes_max, 'b');
  const buffer_ref owner = copy_to_buffer(as_bytes_view(body.data(), body.size()));
  const part_out part{owner.bytes(), &owner};
  both.far->out().add({&part, 1}, 0);
  std::uint64_t allocated = 0;
  seen found = seen::incomplete;
  while (found != seen::message) {
    (void)both.far->flush();
    both.near->set_readable(false);
    const std::uint64_t before = testing::allocations_of_this_thread();
    found = both.near->advance();
    allocated += testing::allocations_of_this_thread() - before;
    REQUIRE(found != seen::failed);
  }
  CHECK(text_of(copy_to_buffer(both.near->parts()[0])) == body);
  CHECK(allocated < 40);
}

}  // namespace holdfast::zmtp
