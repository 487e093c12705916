// Majordomo's frames: what decodes to what, and what is sent, byte for byte. Then random
// multiparts.
#include <doctest/doctest.h>

#include "base/random.hpp"
#include "patterns/reqrep/head.hpp"
#include "tests/patterns/mdp_rig.hpp"

namespace holdfast {
namespace {

struct held_frame {
  explicit held_frame(const multipart& message) {
    for (std::size_t i = 1; i < message.size(); ++i) parts.push_back(buffer_of(message[i]));
    frame.head = buffer_of(message.front());
    frame.parts = parts;
  }
  std::vector<buffer_ref> parts;
  frame_in frame;
};

mdp_kind kind_of(const multipart& message) {
  return decode_mdp(held_frame(message).frame).kind;
}

const std::string nul(1, '\0');

TEST_CASE("a client's request, in every framing") {
  const std::vector<multipart> stacks{{}, {std::string("\0\x01\0\x02", 4)}, {"proxy", "client"}};
  for (const multipart& stack : stacks) {
    const multipart head = joined(stack, {"", "MDPC01", "echo"});
    const held_frame f(joined(head, {"one", "", nul}));
    const mdp_frame got = decode_mdp(f.frame);
    REQUIRE(got.kind == mdp_kind::client_request);
    CHECK(text_of(got.service) == "echo");
    REQUIRE(got.body.size() == 3);
    CHECK(text_of(got.body[2].bytes()) == nul);
    CHECK(parts_of(mdp_reply_envelope(f.frame, got)) == head);
  }
  CHECK(decode_mdp(held_frame({"", "MDPC01", "echo"}).frame).body.empty());
}

TEST_CASE("a worker's commands") {
  const held_frame ready({"", "MDPW01", "\x01", "echo"});
  CHECK(decode_mdp(ready.frame).kind == mdp_kind::worker_ready);
  CHECK(text_of(decode_mdp(ready.frame).service) == "echo");
  const held_frame reply({"", "MDPW01", "\x03", "address", "", "a", "b"});
  const mdp_frame got = decode_mdp(reply.frame);
  CHECK(got.kind == mdp_kind::worker_reply);
  CHECK(text_of(got.client) == "address");
  CHECK(got.body.size() == 2);
  CHECK(kind_of({"", "MDPW01", "\x04"}) == mdp_kind::worker_heartbeat);
  CHECK(kind_of({"", "MDPW01", "\x05"}) == mdp_kind::worker_disconnect);
}

TEST_CASE("what is no frame of the protocol") {
  const std::vector<multipart> none{
      {""},
      {"x"},
      {"MDPC01"},
      {"", ""},
      {"", "MDPC01"},
      {"MDPC01", "echo", "x"},
      {"", "MDPC02", "\x01", "echo", "x"},
      {"MDPC02", "\x01", "echo", "x"},
      {"", "MDPW02", "\x01", "s"},
      {"", "MDPC0", "echo"},
      {"", "MDPC011", "echo"},
      {"", "mdpc01", "echo"},
      {"a", "b", "c"},
      {"id", "", "MDPW01", "\x01", "echo"},
      {std::string(mdp::stack_bytes_max + 1, 'x'), "", "MDPC01", "s"},
      joined(multipart(mdp::stack_parts_max + 1, "x"), {"", "MDPC01", "s"})};
  for (const multipart& message : none) CHECK(kind_of(message) == mdp_kind::malformed);
  const std::vector<multipart> broken{{"", "MDPW01"},
                                      {"", "MDPW01", ""},
                                      {"", "MDPW01", "\x01"},
                                      {"", "MDPW01", "\x01", "s", "x"},
                                      {"", "MDPW01", "\x03"},
                                      {"", "MDPW01", "\x03", "c"},
                                      {"", "MDPW01", "\x03", "c", "x", "b"},
                                      {"", "MDPW01", "\x04", ""},
                                      {"", "MDPW01", "\x05", "x"},
                                      {"", "MDPW01", "\x02", "c", "", "b"},
                                      {"", "MDPW01", nul},
                                      {"", "MDPW01", "\x06"},
                                      {"", "MDPW01", "\x01\x01", "s"}};
  for (const multipart& message : broken) CHECK(kind_of(message) == mdp_kind::worker_broken);
}

TEST_CASE("what is sent") {
  CHECK(parts_of(mdp_control(mdp_command::heartbeat)) == multipart{"", "MDPW01", "\x04"});
  CHECK(parts_of(mdp_control(mdp_command::disconnect)) == multipart{"", "MDPW01", "\x05"});
  const std::string address = "0123456789abcdef";
  CHECK(parts_of(mdp_request_envelope(as_bytes_view(address.data(), address.size()))) ==
        multipart{"", "MDPW01", "\x02", address, ""});
  const held_frame asked({"", "MDPC01", "mmi.service", "first", "echo"});
  const std::string code = "200";
  CHECK(parts_of(mmi_answer(asked.frame, decode_mdp(asked.frame), as_bytes_view(code.data(), 3))) ==
        multipart{"", "MDPC01", "mmi.service", "first", "200"});
}

TEST_CASE("names of services") {
  const auto fits = [](const std::string& name) {
    return service_fits(as_bytes_view(name.data(), name.size()));
  };
  CHECK(fits("e"));
  CHECK(fits(std::string(249, 's')));
  CHECK(fits("\xff\x80 any bytes"));
  CHECK_FALSE(fits(""));
  CHECK_FALSE(fits(std::string(250, 's')));
  CHECK_FALSE(fits(std::string("a\0b", 3)));
}

// Parts that mean something, and some that do not, in any order.
std::string random_part(random_source& any) {
  static const std::vector<std::string> known{
      "",     "",     "",     "MDPC01", "MDPW01",      "\x01",  "\x02",
      "\x03", "\x04", "\x05", "echo",   "mmi.service", "mmi.x", "MDPC02"};
  if (any.below(4) != 0) return known[any.below(known.size())];
  std::string made(any.below(300), 'x');
  for (char& c : made) c = static_cast<char>(any.next());
  return made;
}

SITUATION("500 seeds of random multiparts: rows stay bounded, what is bad is counted") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    random_source any(seed);
    rig_type rig;
    std::uint64_t malformed = 0;
    for (int i = 0; i < 200; ++i) {
      multipart message(1 + any.below(8));
      for (std::string& part : message) part = random_part(any);
      if (any.below(3) == 0)
        message.insert(message.begin(), {"", any.below(2) ? "MDPW01" : "MDPC01"});
      const mdp_kind kind = kind_of(message);
      malformed += kind == mdp_kind::malformed || kind == mdp_kind::worker_broken;
      rig.send(1 + any.below(5), message);
      if (any.below(20) == 0) rig.pass(any.below(5) * second_ns);
      if (any.below(50) == 0) rig.lose(1 + any.below(5));
      REQUIRE(rig.workers() <= 5);
    }
    REQUIRE(rig.bad_frames() >= malformed);
    rig.send(77, ready_for("still"));
    rig.send(78, request_to("still", {"alive"}));
    REQUIRE(rig.take_request(77, {"alive"}).size() == dispatch_id_bytes);
  }
}

}  // namespace
}  // namespace holdfast
