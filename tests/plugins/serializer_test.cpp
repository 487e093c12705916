// Calls into a plugin: limits, faults, and that nothing comes back but a status and bytes.
#include "plugins/host/serializer.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "plugins/host/plugin_file.hpp"
#include "plugins/msgpack/msgpack.hpp"
#include "plugins/raw/raw.hpp"

using namespace holdfast;
using namespace holdfast::plugins;

namespace {

bytes_view bytes(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}
std::string text(bytes_view of) {
  return {reinterpret_cast<const char*>(of.data()), of.size()};
}

std::uint64_t clock_ns = 0;
instant test_clock() noexcept {
  return {clock_ns, 0};
}

// A serializer that does what the tests below tell it.
using decode_function = int (*)(holdfast_call*, std::string_view);
decode_function on_decode = nullptr;
int destroyed = 0;

holdfast_serializer faulty_table() {
  holdfast_serializer t{};
  t.struct_size = sizeof t;
  t.major = HOLDFAST_PLUGIN_MAJOR;
  t.abilities = HOLDFAST_CAN_DECODE;
  t.name = "faulty";
  t.create = [](holdfast_call*, holdfast_slice, void** into) {
    *into = &destroyed;
    return 0;
  };
  t.destroy = [](void* into) { ++*static_cast<int*>(into); };
  t.decode = [](void*, holdfast_call* call, const holdfast_slice* parts, std::size_t) {
    return on_decode(call, {reinterpret_cast<const char*>(parts->data), parts->size});
  };
  return t;
}

struct outcome {
  status told;
  output made;
};

outcome decoded(decode_function what, call_limits limits = {}) {
  on_decode = what;
  clock_ns = 1000;
  auto made = serializer::create({faulty_table(), "a test"}, {}, limits, test_clock);
  REQUIRE(made.ok());
  outcome result;
  const bytes_view part = bytes("part");
  result.told = made->decode({&part, 1}, result.made);
  return result;
}

serializer of(holdfast_plugin_entry_function entry) {
  auto types = read_tables(entry, "built in");
  REQUIRE(types.ok());
  auto made = serializer::create(types->front());
  REQUIRE(made.ok());
  return std::move(*made);
}

std::string decoded(serializer& by, std::string_view part) {
  const bytes_view view = bytes(part);
  output into;
  const status told = by.decode({&view, 1}, into);
  return told ? text(into.bytes()) : std::string(name(told.kind()));
}
std::string encoded(serializer& by, std::string_view document) {
  output into;
  const status told = by.encode(bytes(document), into);
  return told ? text(into.bytes()) : std::string(name(told.kind()));
}

}  // namespace

TEST_CASE("what a call appends comes out, in parts") {
  outcome o = decoded([](holdfast_call* call, std::string_view part) {
    call->append(call, part.data(), part.size());
    call->end_part(call);
    call->end_part(call);
    return call->append(call, "x", 1);
  });
  REQUIRE(o.told.ok());
  REQUIRE(o.made.parts() == 3);
  CHECK(text(o.made.part(0)) == "part");
  CHECK(o.made.part(1).empty());
  CHECK(text(o.made.part(2)) == "x");
}

TEST_CASE("an exception stops at the wall and is a status") {
  outcome o = decoded([](holdfast_call* call, std::string_view) -> int {
    call->append(call, "half", 4);
    throw std::runtime_error("bad day");
  });
  CHECK(o.told.kind() == errc::schema);
  CHECK(o.told.text() ==
        "serializer 'faulty' (a test) cannot decode: failed inside: it threw an exception: bad "
        "day");
  CHECK(o.made.bytes().empty());
  o = decoded([](holdfast_call*, std::string_view) -> int { throw 7; });
  CHECK(o.told.kind() == errc::schema);
}

TEST_CASE("a fault has the plugin's words, cut to a limit; unknown codes are faults") {
  outcome o = decoded([](holdfast_call* call, std::string_view) {
    const std::string words(5000, 'w');
    return call->fail(call, HOLDFAST_SCHEMA, words.data(), words.size());
  });
  CHECK(o.told.kind() == errc::schema);
  CHECK(o.told.text().size() < 1200);
  CHECK(decoded([](holdfast_call*, std::string_view) { return 99; }).told.kind() == errc::schema);
  CHECK(decoded([](holdfast_call*, std::string_view) { return -1; }).told.kind() == errc::schema);
}

TEST_CASE("output ends at its limit, even if the plugin says it is fine") {
  const call_limits ten{10, second_ns};
  const auto append_ten = [](holdfast_call* call, std::string_view) {
    return call->append(call, "0123456789", 10);
  };
  CHECK(decoded(append_ten, ten).told.ok());
  outcome o = decoded(
      [](holdfast_call* call, std::string_view) {
        for (int i = 0; i < 11; ++i) call->append(call, "x", 1);
        return static_cast<int>(HOLDFAST_OK);
      },
      ten);
  CHECK(o.told.kind() == errc::too_large);
  CHECK(o.made.bytes().empty());
  o = decoded([](holdfast_call* call, std::string_view) {
    for (int i = 0; i < 70'000; ++i) call->end_part(call);
    return static_cast<int>(HOLDFAST_OK);
  });
  CHECK(o.told.kind() == errc::too_large);
}

TEST_CASE("a call that comes back late has failed; it can ask in time") {
  const call_limits brief{100, 5 * ms_ns};
  outcome o = decoded(
      [](holdfast_call* call, std::string_view) {
        CHECK(call->should_stop(call) == 0);
        clock_ns += 5 * ms_ns;
        CHECK(call->should_stop(call) == 0);
        clock_ns += 1;
        CHECK(call->should_stop(call) != 0);
        return static_cast<int>(HOLDFAST_OK);
      },
      brief);
  CHECK(o.told.kind() == errc::timeout);
}

TEST_CASE("an instance is destroyed once") {
  destroyed = 0;
  decoded([](holdfast_call*, std::string_view) { return 0; });
  CHECK(destroyed == 1);
  auto first = serializer::create({faulty_table(), "a test"});
  serializer second = std::move(*first);
  CHECK(destroyed == 1);
}

TEST_CASE("what a serializer cannot do is said") {
  auto made = serializer::create({faulty_table(), "a test"});
  output into;
  CHECK(made->encode({}, into).kind() == errc::unsupported);
  CHECK(made->peek({}).kind() == errc::unsupported);
  CHECK(made->schema_of({}, into).kind() == errc::unsupported);
}

TEST_CASE("every function of a loaded plugin") {
  auto types = load_plugin(HOLDFAST_TEST_MODULES "/shout.so");
  REQUIRE(types.ok());
  CHECK(serializer::create(types->front(), bytes("\x81")).kind() == errc::invalid);
  auto made = serializer::create(types->front());
  REQUIRE(made.ok());
  CHECK(decoded(*made, "HELLO") == "\xa5hello");
  CHECK(encoded(*made, "\xa5hello") == "HELLO");
  CHECK(decoded(*made, "hello") == "schema");
  const bytes_view message[] = {bytes("topic"), bytes("HELLO")};
  REQUIRE(made->own_parts(message).size() == 1);
  CHECK(made->validate(made->own_parts(message)).ok());
  const auto meta = made->peek(made->own_parts(message));
  REQUIRE(meta.ok());
  CHECK(meta->present == (HOLDFAST_META_KEY | HOLDFAST_META_NUMBER));
  CHECK(meta->number == 5);
  CHECK(meta->key.data == reinterpret_cast<const std::uint8_t*>(message[1].data()));
  output into;
  CHECK(*made->schema_of(made->own_parts(message), into) == 7);
  CHECK(text(into.bytes()) == "[A-Z]*");
  REQUIRE(made->describe(into).ok());
  CHECK(text(into.bytes()) == "\x81\xa4name\xa5shout");
}

TEST_CASE("raw: bytes are a bin; a bin or a text are bytes") {
  serializer raw = of(holdfast_raw_entry);
  CHECK(decoded(raw, "abc") == std::string("\xc4\x03"
                                           "abc"));
  for (const std::size_t size : {0u, 1u, 255u, 256u, 65'535u, 65'536u, 1'000'000u}) {
    const std::string part(size, '\x80');
    CHECK(encoded(raw, decoded(raw, part)) == part);
  }
  CHECK(encoded(raw,
                "\xa3"
                "abc") == "abc");
  CHECK(encoded(raw, std::string("\xd9\x03"
                                 "abc")) == "abc");
  for (const std::string bad : {"", "\xc0", "\xc4", "\xc4\x05z", "\xc4\x01zz", "\x93\1\2\3"})
    CHECK(encoded(raw, bad) == "schema");
}

TEST_CASE("msgpack: exactly one object passes as it is") {
  serializer msgpack = of(holdfast_msgpack_entry);
  for (const std::string good : {"\xc0", "\x01", "\x93\1\2\3", "\x81\xa1k\xc4\x01z",
                                 "\xa3"
                                 "abc"}) {
    CHECK(decoded(msgpack, good) == good);
    CHECK(encoded(msgpack, good) == good);
  }
  for (const std::string bad : {"", "\xc1", "\x93\1\2", "\x01\x01",
                                "\xa3"
                                "ab"})
    CHECK(decoded(msgpack, bad) == "schema");
  CHECK(decoded(msgpack, std::string(128, '\x91') + '\x01') == std::string(128, '\x91') + '\x01');
  CHECK(decoded(msgpack, std::string(129, '\x91') + '\x01') == "too_large");
  CHECK(decoded(msgpack, std::string(1'000'000, '\x91')) == "too_large");
}
