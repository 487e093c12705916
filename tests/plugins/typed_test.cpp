// Typed endpoints: over any class with send() and receive(), and MSGPACK_DEFINE types as they are.
#include "holdfast/typed.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <string>

#include "holdfast/msgpack.hpp"

using namespace holdfast;

namespace {

struct point {
  int x = 0, y = 0;
  std::string label;
  MSGPACK_DEFINE_MAP(x, y, label)
};

struct tree {
  std::vector<tree> below;
  MSGPACK_DEFINE(below)
};

// A type with a form of its own.
struct letter {
  char value = 0;
};

// What a loop-back endpoint hands over.
class message {
 public:
  explicit message(std::vector<std::string> parts) : texts_(std::move(parts)) {
    for (const std::string& text : texts_) {
      const auto size = static_cast<std::uint32_t>(text.size());
      lengths_.append(reinterpret_cast<const char*>(&size), sizeof size);
      data_ += text;
    }
    view_ = {as_part(lengths_), as_part(data_)};
  }
  message(const message&) = delete;
  message(message&& other) noexcept : message(std::move(other.texts_)) {}
  const message_view& parts() const { return view_; }

 private:
  std::vector<std::string> texts_;
  std::string lengths_, data_;
  message_view view_;
};

struct loop_back {
  std::deque<std::vector<std::string>> held;
  int sent = 0;

  result<int> send(std::span<const part_view> parts, int timeout = 0) {
    if (timeout < 0) return {errc::timeout, "no time"};
    auto& made = held.emplace_back();
    for (const part_view part : parts) made.emplace_back(as_text(part));
    return ++sent;
  }
  result<message> receive(int timeout = 0) {
    if (held.empty() || timeout < 0) return {errc::would_block, "nothing here"};
    message made(held.front());
    held.pop_front();
    return made;
  }
};

}  // namespace

template <>
struct holdfast::serializer<letter> {
  static status encode(const letter& value, std::vector<std::byte>& into) {
    if (value.value == 0) return {errc::schema, "no letter"};
    into.push_back(static_cast<std::byte>(value.value));
    return {};
  }
  static result<letter> decode(part_view bytes) {
    if (bytes.size() != 1) return {errc::schema, "one byte is a letter"};
    return letter{static_cast<char>(bytes[0])};
  }
};
template <>
struct holdfast::serializer<std::map<std::string, int>>
    : holdfast::msgpack_serializer<std::map<std::string, int>> {};

static_assert(serializable<point> && serializable<letter>);
static_assert(!serializable<int> && !serializable<std::string>);

TEST_CASE("values go and come; parts before them stay") {
  typed line{loop_back{}};
  REQUIRE(line.send(point{1, -2, "a"}).ok());
  CHECK(*line.send({as_part("topic"), as_part("")}, point{3, 4, "b"}) == 2);
  auto first = line.receive<point>();
  REQUIRE(first.ok());
  REQUIRE(first->value.ok());
  CHECK(first->value->y == -2);
  const auto second = line.receive<point>();
  REQUIRE(second.ok());
  CHECK(second->message.parts().size() == 3);
  CHECK(as_text(second->message.parts()[0]) == "topic");
  CHECK(second->value->label == "b");
  CHECK(line.receive<point>().kind() == errc::would_block);
}

TEST_CASE("the endpoint's own arguments and errors pass through") {
  typed line{loop_back{}};
  CHECK(line.send(letter{'x'}, -1).kind() == errc::timeout);
  CHECK(line.receive<letter>(-1).kind() == errc::would_block);
  CHECK(line->sent == 0);
}

TEST_CASE("what cannot be encoded is not sent") {
  typed line{loop_back{}};
  CHECK(line.send(letter{}).kind() == errc::schema);
  CHECK(line->held.empty());
}

TEST_CASE("what cannot be decoded is handed over with the reason") {
  typed line{loop_back{}};
  for (const char* bad :
       {"", "\xc1", "\x81\xa1x", "\x01\x01", "\x81\xa1x\xa1y", "\xdd\xff\xff\xff\xff"}) {
    line->held.push_back({"topic", bad});
    const auto got = line.receive<point>();
    REQUIRE(got.ok());
    CHECK(got->value.kind() == errc::schema);
    CHECK(as_text(got->message.parts()[1]) == bad);
  }
  line->held.push_back({std::string(200, '\x91') + '\xc0'});
  CHECK(line.receive<tree>()->value.kind() == errc::schema);
}

TEST_CASE("types msgpack-c knows need one line") {
  typed line{loop_back{}};
  REQUIRE(line.send(std::map<std::string, int>{{"a", 1}}).ok());
  const auto got = line.receive<std::map<std::string, int>>();
  CHECK(got->value->at("a") == 1);
}
