// What a device answers to peers that ask for what it does not give, or speak brokenly: the
// branches that no friendly peer takes.
#include <doctest/doctest.h>

#include "base/checksum.hpp"
#include "tests/patterns/device_world.hpp"
#include "tests/patterns/pubsub_world.hpp"
#include "tests/patterns/reqrep_world.hpp"

namespace holdfast {
namespace {

constexpr peer_id peer = 1;

hello hello_of(std::string id) {
  hello f;
  f.producer_id = std::move(id);
  return f;
}

/// The newest frame that left, if it is one of this type.
template <class World>
std::vector<std::byte> answer(World& world, frame_type type) {
  world.make_durable();
  auto sent = world.take_sent();
  REQUIRE(!sent.empty());
  REQUIRE(decode_prefix(sent.back().head)->type == type);
  return sent.back().head;
}

template <class World>
std::uint32_t greet(World& world, std::string id = "somebody") {
  world.receive(peer, encode(0, hello_of(std::move(id))).bytes());
  return decode_welcome(answer(world, frame_type::welcome))->session;
}

template <class World>
errc refused(World& world, std::uint32_t session, attach_role role, std::string address = "") {
  attach f;
  f.role = role;
  f.address = std::move(address);
  world.receive(peer, encode(session, f).bytes());
  return decode_attach_refused(answer(world, frame_type::attach_refused))->code;
}

TEST_CASE("an endpoint of another version is told which one is spoken here") {
  device_world world{pipeline_options()};
  hello f = hello_of("tomorrow");
  f.version_min = f.version_max = protocol_major + 1;
  world.receive(peer, encode(0, f).bytes());
  const auto spoken = decode_refuse_version(answer(world, frame_type::refuse_version));
  CHECK(spoken->min == protocol_major);
  CHECK(spoken->max == protocol_major);
  CHECK(world.stats().sessions == 0);
}

TEST_CASE("one producer too many is refused, and may come again") {
  pipeline_options options;
  options.producers_max = 1;
  device_world world(options);
  greet(world);
  world.receive(peer + 1, encode(0, hello_of("another")).bytes());
  const refuse f = *decode_refuse(answer(world, frame_type::refuse));
  CHECK(f.code == errc::full);
  CHECK_FALSE(f.permanent);
  CHECK(world.stats().sessions == 1);
}

TEST_CASE("a connection that says another HELLO has the newer session only") {
  device_world world{pipeline_options()};
  const std::uint32_t first = greet(world), second = greet(world, "somebody else");
  CHECK(first != second);
  CHECK(world.stats().sessions == 1);
}

TEST_CASE("a role or an address that a pattern does not have is denied") {
  device_world queues{pipeline_options()};
  CHECK(refused(queues, greet(queues), attach_role::replies) == errc::denied);
  pubsub_world topics{pubsub_options()};
  const std::uint32_t session = greet(topics);
  CHECK(refused(topics, session, attach_role::replies) == errc::denied);
  CHECK(refused(topics, session, attach_role::consume, "queue") == errc::denied);
}

TEST_CASE("a subscription that was forgotten stays so after a restart") {
  pubsub_world world{pubsub_options()};
  attach f;
  f.role = attach_role::consume;
  f.group = "viewer";
  world.receive(peer, encode(greet(world), f).bytes());
  answer(world, frame_type::attached);
  world.restart(false);
  CHECK(world.stats().streams.at(0).groups.size() == 1);
  REQUIRE(world.channel().forget_subscription("viewer", world.now()));
  world.turn();
  world.make_durable();
  world.restart(true);
  CHECK(world.stats().streams.at(0).groups.empty());
}

// A worker with one request, which it answers brokenly.
struct broken_worker {
  broken_worker() {
    attach f;
    f.role = attach_role::consume;
    f.address = "echo";
    world.receive(peer, encode(session, f).bytes());
    stream = decode_attached(answer(world, frame_type::attached))->stream;
  }
  /// What becomes of a reply: true if it was counted as a bad frame and nothing else happened.
  bool is_bad(reply_frame f, std::vector<buffer_ref> parts) {
    const std::uint64_t before = world.stats().bad_frames, end = world.log().next_position();
    f.stream = stream;
    small_head head;
    encode(head, session, f);
    world.receive(peer, head.bytes(), std::move(parts));
    return world.stats().bad_frames == before + 1 && world.log().next_position() == end;
  }

  reqrep_world world{reqrep_options()};
  std::uint32_t session = greet(world);
  stream_id stream = no_stream;
};

TEST_CASE("replies without an entry each, with a right head and sum, are a bad frame") {
  broken_worker w;
  reply_head head;
  head.sequence = 1;
  std::array<std::byte, head_bytes_max> room{};
  const bytes_view good[] = {bytes_view(room).first(encode(room, head)), as_bytes_view("a", 1)};
  block_packer packer;
  packer.add(good, 0);
  const sealed_block one = packer.seal();
  packer.add({good, 1}, 0);
  packer.add({good, 1}, 0);
  const sealed_block two = packer.seal();
  packer.add({&good[1], 1}, 0);
  const sealed_block headless = packer.seal();
  packer.add_void(0);
  const sealed_block nothing = packer.seal();
  CHECK(w.is_bad({0, {1, 1}, 1, one.body_sum}, {}));
  CHECK(w.is_bad({0, {1, 1}, 1, one.body_sum + 1}, {one.body}));
  CHECK(w.is_bad({0, {1, 1}, 1, two.body_sum}, {two.body}));
  CHECK(w.is_bad({0, {1, 1}, 1, headless.body_sum}, {headless.body}));
  CHECK(w.is_bad({0, {1, 1}, 1, nothing.body_sum}, {nothing.body}));
  CHECK(w.is_bad({0, {2, 1}, 1, one.body_sum}, {one.body}));  // the head names another request
  CHECK(w.is_bad({0, {1, 2}, 1, one.body_sum}, {one.body}));  // ... or more
  CHECK(w.is_bad({0, {1, 2}, 1, two.body_sum}, {two.body}));  // both entries name the first
  CHECK(w.is_bad({0, {1, 0}, 1, one.body_sum}, {one.body}));
  CHECK(w.is_bad({0, {1, 1}, 0, one.body_sum}, {one.body}));  // attempts count from 1
}

}  // namespace
}  // namespace holdfast
