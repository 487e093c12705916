// json: documents come back as they were; the rules of plugins/json/json.hpp, case by case.
#include "plugins/json/json.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <msgpack.hpp>
#include <random>
#include <string>

#include "plugins/host/serializer.hpp"

using namespace holdfast;
using namespace holdfast::plugins;
using namespace std::string_literals;

namespace {

// No limit of time: a loaded machine must not change an outcome.
instant stopped_clock() noexcept {
  return {};
}

serializer make_json(call_limits limits = {}) {
  auto types = read_tables(holdfast_json_entry, "built in");
  REQUIRE(types.ok());
  auto made = serializer::create(types->front(), {}, limits, stopped_clock);
  REQUIRE(made.ok());
  return std::move(*made);
}

std::string text(const output& of) {
  return {reinterpret_cast<const char*>(of.bytes().data()), of.bytes().size()};
}

std::string to_json(std::string_view document) {
  static serializer json = make_json();
  output into;
  const status told = json.encode(as_bytes_view(document.data(), document.size()), into);
  return told ? text(into) : "<" + std::string(name(told.kind())) + ">";
}
std::string to_document(std::string_view json_text) {
  static serializer json = make_json();
  output into;
  const bytes_view part = as_bytes_view(json_text.data(), json_text.size());
  const status told = json.decode({&part, 1}, into);
  return told ? text(into) : "<" + std::string(name(told.kind())) + ">";
}

// A single '<' is the document of 60.
bool refused(const std::string& outcome) {
  return outcome.size() > 2 && outcome.front() == '<' && outcome.back() == '>';
}

template <class F>
std::string packed(F&& f) {
  msgpack::sbuffer bytes;
  msgpack::packer<msgpack::sbuffer> packer(bytes);
  f(packer);
  return {bytes.data(), bytes.size()};
}

// The JSON and back to the same bytes.
void check_both(const std::string& document, const std::string& json_text) {
  CHECK(to_json(document) == json_text);
  CHECK(to_document(json_text) == document);
}

// A document of everything there is, in its shortest form, by another library.
class inventor {
 public:
  explicit inventor(unsigned seed) : random_(seed) {}
  void put(msgpack::packer<msgpack::sbuffer>& to, int depth) {
    switch (below(depth > 5 ? 7 : 9)) {
      case 0: to.pack_nil(); return;
      case 1: below(2) ? to.pack_true() : to.pack_false(); return;
      case 2: to.pack_uint64(random_() >> below(64)); return;
      case 3:
        to.pack_int64(static_cast<std::int64_t>(random_() >> below(64)) * (below(2) ? 1 : -1));
        return;
      case 4: to.pack_double(number()); return;
      case 5: {
        const std::string what = bytes(70);
        to.pack_bin(static_cast<std::uint32_t>(what.size()))
            .pack_bin_body(what.data(), static_cast<std::uint32_t>(what.size()));
        return;
      }
      case 6: return word(to);
      case 7: {
        const auto count = static_cast<std::uint32_t>(below(20));
        to.pack_array(count);
        for (std::uint32_t i = 0; i < count; ++i) put(to, depth + 1);
        return;
      }
      default: map(to, depth);
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::string bytes(std::uint64_t most) {
    std::string made(below(most), '\0');
    for (char& c : made) c = static_cast<char>(random_());
    return made;
  }
  double number() {
    const double special[] = {0.0,
                              -0.0,
                              1.0,
                              0.1,
                              1e300,
                              -5e-324,
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity()};
    if (below(2)) return special[below(8)];
    const double made = std::bit_cast<double>(random_());
    return made == made ? made : 1.5;
  }
  void word(msgpack::packer<msgpack::sbuffer>& to) {
    const std::string words[] = {
        "base64", "map", "ext", "float", "text", "", "x\n\"\\\x01", "\u00e9\U0001f600"s, bytes(40)};
    const std::string& what = words[below(9)];
    to.pack_str(static_cast<std::uint32_t>(what.size()))
        .pack_str_body(what.data(), static_cast<std::uint32_t>(what.size()));
  }
  void map(msgpack::packer<msgpack::sbuffer>& to, int depth) {
    const auto count = static_cast<std::uint32_t>(below(18));
    to.pack_map(count);
    const bool words = below(3) != 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      words ? word(to) : put(to, depth + 1);
      put(to, depth + 1);
    }
  }
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("what both have") {
  check_both("\xc0", "null");
  check_both("\xc3", "true");
  check_both("\x93\x01\xff\xa1x", R"([1,-1,"x"])");
  check_both("\x82\xa1z\x01\xa1y\x90", R"({"z":1,"y":[]})");  // in their order
  check_both("\x80", "{}");
  check_both("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
  check_both("\xd3\x80\0\0\0\0\0\0\0"s, "-9223372036854775808");
  check_both("\xa6\"\\\n\x01\xc3\xa9", "\"\\\"\\\\\\n\\u0001\xc3\xa9\"");
}

TEST_CASE("what JSON lacks stands under a mark") {
  check_both("\xc4\x03\0\xff\x01"s, R"({"base64":"AP8B"})");
  check_both("\xc4\0"s, R"({"base64":""})");
  check_both("\xd6\xff\x5e\0\0\0"s, R"({"ext":-1,"base64":"XgAAAA=="})");
  check_both("\xc7\x03\x05"s + "abc", R"({"ext":5,"base64":"YWJj"})");
  check_both("\xa2\xff\xfe", R"({"text":"//4="})");
  check_both("\xcb\x7f\xf0\0\0\0\0\0\0"s, R"({"float":"inf"})");
  check_both("\xcb\xff\xf0\0\0\0\0\0\0"s, R"({"float":"-inf"})");
  check_both("\xcb\x7f\xf8\0\0\0\0\0\0"s, R"({"float":"nan"})");
  check_both("\x81\x01\x02", R"({"map":[[1,2]]})");
  check_both("\x82\x01\xa1x\x92\x03\x04\x81\xc2\xc0",
             R"({"map":[[1,"x"],[[3,4],{"map":[[false,null]]}]]})");
}

TEST_CASE("a map that looks like a mark is not taken for one") {
  check_both("\x81\xa6"s + "base64\xa4" + "AAAA", R"({"map":[["base64","AAAA"]]})");
  check_both("\x81\xa3map\x91\x92\x01\x02", R"({"map":[["map",[[1,2]]]]})");
  check_both("\x83\xa6"s + "base64\x01\xa1x\x02\xa1y\x03", R"({"base64":1,"x":2,"y":3})");
  check_both("\x82\xa1x\x01\xa6"s + "base64\x02", R"({"x":1,"base64":2})");
}

TEST_CASE("objects of strangers that are no good marks stay maps") {
  CHECK(to_document(R"({"base64":5})") == "\x81\xa6"s + "base64\x05");
  CHECK(to_document(R"({"base64":"A"})") == "\x81\xa6"s + "base64\xa1" + "A");
  CHECK(to_document(R"({"float":"one"})") ==
        "\x81\xa5"
        "float\xa3one");
  CHECK(to_document(R"({"ext":300,"base64":""})") ==
        "\x82\xa3"
        "ext\xcd\x01\x2c\xa6"
        "base64\xa0");
  CHECK(to_document(R"({"map":[[1,2],[3]]})") == "\x81\xa3map\x92\x92\x01\x02\x91\x03");
  CHECK(to_document(R"({"map":[[3],[1,2]]})") == "\x81\xa3map\x92\x91\x03\x92\x01\x02");
  CHECK(to_document(R"({"map":{"a":[]}})") ==
        "\x81\xa3map\x81\xa1"
        "a\x90");
}

TEST_CASE("numbers keep their kind and value") {
  check_both("\xcb\x3f\xf0\0\0\0\0\0\0"s, "1.0");
  check_both("\xcb\x80\0\0\0\0\0\0\0"s, "-0.0");
  CHECK(to_json("\xca\x3d\xcc\xcc\xcd") == "0.10000000149011612");  // 32 bits, the same value
  CHECK(to_document("18446744073709551616") == "<schema>");
  CHECK(to_document("-9223372036854775809") == "<schema>");
  CHECK(to_document("1e999") == "<schema>");
  CHECK(to_document(" 1 ") == "\x01");
}

TEST_CASE("what is not well formed is refused") {
  for (const char* bad : {"", "{", "[1,]", "nul", "1 2", "{\"a\":1,}", "\"\xff\"", "NaN", "'a'"})
    CHECK_MESSAGE(to_document(bad) == "<schema>", bad);
  for (const std::string& bad :
       {""s, "\xc1"s, "\x91"s, "\x81\x01"s, "\x01\x01"s, "\xdd\xff\xff\xff\xff"s})
    CHECK(to_json(bad) == "<schema>");
}

TEST_CASE("depth and size have limits") {
  const std::string deep = std::string(128, '\x91') + '\xc0';
  check_both(deep, std::string(128, '[') + "null" + std::string(128, ']'));
  CHECK(to_json("\x91" + deep) == "<too_large>");
  CHECK(to_document(std::string(129, '[') + std::string(129, ']')) == "<too_large>");
  CHECK(to_document(std::string(1'000'000, '[')) == "<too_large>");
  std::string odd;  // every level in the `map` form
  for (int i = 0; i < 128; ++i) odd += "\x81\x01";
  CHECK(to_document(to_json(odd + '\xc0')) == odd + '\xc0');

  serializer small = make_json({100, second_ns});
  output into;
  const std::string large = "\xc4\xff" + std::string(255, 'x');
  CHECK(small.encode(as_bytes_view(large.data(), large.size()), into).kind() == errc::too_large);
}

TEST_CASE("any document comes back from JSON as it was") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const std::string document = packed([&](auto& to) { inventor(seed).put(to, 0); });
    const std::string as_json = to_json(document);
    const std::string back = to_document(as_json);
    if (back == document) continue;
    FAIL_CHECK("seed " << seed << ": " << as_json.substr(0, 500));
    break;
  }
}

TEST_CASE("bytes of strangers are refused or converted, and what is made is well formed") {
  std::mt19937_64 random(7);
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::string document = packed([&](auto& to) { inventor(seed).put(to, 3); });
    std::string as_json = to_json(document);
    for (std::string* each : {&document, &as_json})
      for (int i = 0; i < 2; ++i) (*each)[random() % each->size()] = static_cast<char>(random());
    const std::string made = to_document(as_json);
    if (!refused(made)) CHECK_FALSE(refused(to_json(made)));
    const std::string text = to_json(document);
    if (!refused(text)) CHECK_FALSE(refused(to_document(text)));
  }
}
