// Transcoding: what changes, what stays, and that a failure loses nothing.
#include "devices/transcoder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "devices/serializers.hpp"

using namespace holdfast;

namespace {

using texts = std::vector<std::string>;

texts applied(message_transform& by, const texts& message) {
  std::vector<bytes_view> parts;
  for (const std::string& text : message) parts.push_back(as_bytes_view(text.data(), text.size()));
  texts made;
  for (const bytes_view part : by.apply(parts))
    made.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
  by.sent();
  return made;
}

std::unique_ptr<message_transform> open(std::string_view from, std::string_view to) {
  auto made = transcoder::open(from, to);
  REQUIRE_MESSAGE(made.ok(), made.text());
  return std::move(*made);
}

constexpr const char* shout = HOLDFAST_TEST_MODULES "/shout.so";

}  // namespace

TEST_CASE("the last part changes its form, those before it stay") {
  const auto to_json = open("msgpack", "json");
  CHECK(applied(*to_json, {"\x92\x01\xa1x"}) == texts{R"([1,"x"])"});
  CHECK(applied(*to_json, {"topic", "", "\xc0"}) == texts{"topic", "", "null"});
  CHECK(to_json->report().changed == 2);
  CHECK(to_json->report().failed == 0);
  const auto to_msgpack = open("json", "msgpack");
  CHECK(applied(*to_msgpack, {"{\"a\": [1]}"}) == texts{"\x81\xa1"
                                                        "a\x91\x01"});
}

TEST_CASE("what cannot be converted leaves as it came, and is counted with its reason") {
  const auto to_json = open("msgpack", "json");
  CHECK(applied(*to_json, {"topic", "\xc1"}) == texts{"topic", "\xc1"});
  CHECK(applied(*to_json, {""}) == texts{""});
  CHECK(applied(*to_json, {"\x01"}) == texts{"1"});
  CHECK(to_json->report().changed == 1);
  CHECK(to_json->report().failed == 2);
  CHECK(to_json->report().last_failure.find("'msgpack'") != std::string::npos);
  const auto to_raw = open("msgpack", "raw");  // decoded, and not to be encoded
  CHECK(applied(*to_raw, {"\x92\x01\x02"}) == texts{"\x92\x01\x02"});
  CHECK(to_raw->report().failed == 1);
}

TEST_CASE("only what has left is counted: a message that waits is tried again") {
  const auto to_json = open("msgpack", "json");
  const bytes_view part = as_bytes_view("\xc0", 1);
  for (int i = 0; i < 3; ++i) to_json->apply({&part, 1});
  CHECK(to_json->report().changed == 0);
  to_json->sent();
  CHECK(to_json->report().changed == 1);
}

TEST_CASE("a plugin transcodes like what is built in") {
  const auto to_json = open(shout, "json");
  CHECK(applied(*to_json, {"HELLO"}) == texts{"\"hello\""});
  CHECK(applied(*to_json, {"no"}) == texts{"no"});
  const auto from_json = open("json", shout);
  CHECK(applied(*from_json, {"\"hello\""}) == texts{"HELLO"});
}

TEST_CASE("a serializer that is not there, or cannot do it, is refused at once") {
  CHECK(transcoder::open("nothing", "json").kind() == errc::not_found);
  CHECK(transcoder::open("json", "nothing").kind() == errc::not_found);
  const auto one_way = transcoder::open("json", HOLDFAST_TEST_MODULES "/old.so");
  CHECK(one_way.kind() == errc::unsupported);
  CHECK(one_way.text().find("cannot encode") != std::string_view::npos);
}

TEST_CASE("a message decoded for people") {
  auto by = message_decoder::open("msgpack");
  REQUIRE(by.ok());
  std::string out;
  const std::string part = "\x81\xa1k\xc4\x01z";
  const bytes_view message[] = {as_bytes_view("topic", 5), as_bytes_view(part.data(), part.size())};
  REQUIRE(by->value(message, out).ok());
  CHECK(out == R"({"k":{"base64":"eg=="}})");
  CHECK(by->own_parts(2) == 1);
  CHECK(by->value({message, 1}, out).kind() == errc::schema);
  CHECK(out == R"({"k":{"base64":"eg=="}})");
}
