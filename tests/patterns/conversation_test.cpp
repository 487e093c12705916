// A conversation that keeps its replies: acked when forgotten, waiting for their ids after a
// restart.
#include <doctest/doctest.h>

#include "patterns/frame_codec.hpp"
#include "patterns/reqrep/conversation.hpp"

namespace holdfast {
namespace {

constexpr stream_id service = 1, replies = 2;
constexpr instant at{1000, 1000};

bytes16 id_of(unsigned number) {
  bytes16 made{};
  made[0] = static_cast<std::byte>(number);
  made[1] = static_cast<std::byte>(number >> 8);
  return made;
}

// A device that speaks to one conversation by hand.
struct talk {
  explicit talk(bool keep, bool named = true) : with(options(keep, named)) { attach(); }

  static conversation_options options(bool keep, bool named) {
    conversation_options made;
    made.named = named;
    made.keep = keep;
    return made;
  }
  void attach() {
    welcome limits;
    limits.window_messages = 100;
    limits.window_bytes = limits.max_message = 1 << 20;
    attached f;
    f.stream = service;
    with.sending().on_attached(f, limits, at);
    f.stream = replies;
    with.answers().on_attached(f, limits, at);
  }
  void lose() {
    with.sending().on_session_lost();
    with.answers().on_session_lost();
  }
  void ask(unsigned number) {
    request_terms terms;
    terms.id = id_of(number);
    const bytes_view body = as_bytes_view("q", 1);
    REQUIRE(with.ask(terms, {&body, 1}, at));
  }
  void reply(unsigned number, std::uint64_t sequence) {
    reply_head head;
    head.id = id_of(number);
    std::array<std::byte, head_bytes_max> room{};
    const bytes_view parts[] = {bytes_view(room).first(encode(room, head)), as_bytes_view("a", 1)};
    block_packer packer;
    packer.add(parts, 0);
    const buffer_ref body = packer.seal().body;
    deliver f;
    f.stream = replies;
    f.first_sequence = sequence;
    f.count = 1;
    small_head first;
    encode(first, 7, f);
    const client_input in{frame_type::deliver, copy_to_buffer(first.bytes()), {&body, 1}};
    REQUIRE(with.answers().on_frame(in, at));
  }
  /// Sequences acked by now.
  std::vector<std::uint64_t> acked() {
    with.hurry();
    std::vector<std::uint64_t> made;
    client_frame out;
    while (with.answers().next(out, 7, at)) {
      if (!out.long_head) continue;  // credit
      const auto f = decode_ack(out.long_head.bytes());
      REQUIRE(f);
      for (const range& r : f->ranges)
        for (std::uint64_t s = r.first; s < r.end(); ++s) made.push_back(s);
      out = {};
    }
    return made;
  }
  std::size_t requests_sent() {
    std::size_t sent = 0;
    client_frame out;
    while (with.sending().next(out, 7, at)) ++sent;
    return sent;
  }

  conversation with;
};

TEST_CASE("a taken reply is acked at once, a kept one when it is forgotten") {
  for (const bool keep : {false, true}) {
    talk t(keep);
    t.ask(1);
    t.reply(1, 5);
    REQUIRE(t.with.next_answered() == id_of(1));
    REQUIRE(t.with.take(id_of(1), at));
    CHECK(t.acked() == (keep ? std::vector<std::uint64_t>{} : std::vector<std::uint64_t>{5}));
    CHECK(t.with.open() == (keep ? 1 : 0));
    CHECK(!t.with.next_answered());
    t.with.forget(id_of(1));
    CHECK(t.acked() == (keep ? std::vector<std::uint64_t>{5} : std::vector<std::uint64_t>{}));
    CHECK(t.with.open() == 0);
  }
}

TEST_CASE("a kept reply that comes again in a new session is acked there") {
  talk t(true);
  t.ask(1);
  t.reply(1, 5);
  REQUIRE(t.with.take(id_of(1), at));
  t.lose();
  t.attach();
  t.reply(1, 5);
  CHECK(!t.with.next_answered());  // it was taken
  CHECK(t.acked().empty());
  t.with.forget(id_of(1));
  CHECK(t.acked() == std::vector<std::uint64_t>{5});
}

TEST_CASE("a reply whose ack was lost with its session is acked when it comes again") {
  for (const bool keep : {false, true}) {
    talk t(keep);
    t.ask(1);
    t.reply(1, 5);
    REQUIRE(t.with.take(id_of(1), at));
    t.lose();
    t.with.forget(id_of(1));
    t.attach();
    t.reply(1, 5);
    CHECK(t.acked() == std::vector<std::uint64_t>{5});
  }
}

TEST_CASE("a reply of an earlier run waits until its id is asked, and is not asked for again") {
  for (const bool keep : {false, true}) {
    talk t(keep);
    t.reply(9, 3);
    CHECK(t.acked().empty());
    t.ask(9);
    CHECK(t.requests_sent() == 0);
    REQUIRE(t.with.next_answered() == id_of(9));
    REQUIRE(t.with.take(id_of(9), at));
    t.with.forget(id_of(9));
    CHECK(t.acked() == std::vector<std::uint64_t>{3});
  }
  talk unnamed(false, false);
  unnamed.reply(9, 3);  // it has no earlier run
  CHECK(unnamed.acked() == std::vector<std::uint64_t>{3});
}

TEST_CASE("of the replies nobody asks for, the oldest go") {
  talk t(true);
  for (unsigned i = 1; i <= 1025; ++i) t.reply(i, i);
  CHECK(t.acked() == std::vector<std::uint64_t>{1});
}

TEST_CASE("who waits is told why there is no reply") {
  talk t(false);
  t.ask(1);
  request_terms terms;
  terms.id = id_of(1);
  const bytes_view body = as_bytes_view("q", 1);
  CHECK(t.with.ask(terms, {&body, 1}, at).kind() == errc::in_use);
  CHECK(t.with.take(id_of(1), at).kind() == errc::would_block);
  CHECK(t.with.take(id_of(9), at).kind() == errc::not_found);
  terms.id = id_of(2);
  terms.deadline_ns = at.now_ns + 5;
  REQUIRE(t.with.ask(terms, {&body, 1}, at));
  CHECK(t.with.deadline_ns(id_of(2)) == at.now_ns + 5);
  CHECK(t.with.take(id_of(2), {at.now_ns + 5, at.real_ns}).kind() == errc::expired);
  CHECK(t.with.deadline_ns(id_of(2)) == 0);
}

TEST_CASE("a request that the device refuses for good has that for its outcome") {
  talk t(false);
  t.ask(1);
  t.requests_sent();
  refuse f;
  f.stream = service;
  f.first_number = 1;
  f.count = 1;
  f.code = errc::schema;
  f.permanent = true;
  REQUIRE(t.with.sending().on_frame({frame_type::refuse, encode(7, f), {}}, at));
  CHECK(t.with.take(id_of(1), at).kind() == errc::schema);
  CHECK(t.with.open() == 0);
}

TEST_CASE("a service that is refused ends what waits for it") {
  talk t(false);
  t.ask(1);
  t.lose();
  t.with.answers().on_attach_refused({1, errc::denied, "not here"});
  CHECK(t.with.failure().kind() == errc::denied);
  CHECK(t.with.take(id_of(1), at).kind() == errc::denied);
}

}  // namespace
}  // namespace holdfast
