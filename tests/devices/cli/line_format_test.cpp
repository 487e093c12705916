// Messages as lines: what is written reads back the same.
#include "devices/cli/line_format.hpp"

#include <doctest/doctest.h>

#include "base/random.hpp"

using namespace holdfast;
using namespace holdfast::cli;

namespace {

std::string written(const line_format& format, const std::vector<std::string>& parts,
                    const delivery_facts& facts = {}) {
  const std::vector<std::string_view> views(parts.begin(), parts.end());
  std::string out;
  write_line(format, views, facts, out);
  REQUIRE(out.back() == '\n');
  out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("a plain line is one part") {
  CHECK(*parse_line({}, "a\tb") == std::vector<std::string>{"a\tb"});
  CHECK(*parse_line({}, "") == std::vector<std::string>{""});
  CHECK(written({}, {"one"}) == "one");
  CHECK(written({}, {"one", "", "two"}) == "one\t\ttwo");
}

TEST_CASE("a separator cuts a line into parts, empty ones included") {
  const line_format format{.json = false, .separator = "::"};
  const std::vector<std::string> parts{"", "a", "", "b:", ""};
  CHECK(*parse_line(format, "::a::::b:::") == std::vector<std::string>{"", "a", "", "b", ":"});
  CHECK(written(format, {"", "a", "b"}) == "::a::b");
  CHECK(*parse_line(format, written(format, {"", "a", "", ""})) ==
        std::vector<std::string>{"", "a", "", ""});
}

TEST_CASE("separators are written with escapes") {
  CHECK(*unescape("\\t|\\x1F|\\\\|\\0") == std::string("\t|\x1F|\\|\0", 7));
  for (const char* bad : {"\\", "\\q", "\\x", "\\x1", "\\xZZ"}) CHECK_FALSE(unescape(bad).ok());
}

TEST_CASE("JSON lines carry any bytes there and back") {
  const line_format format{.json = true, .separator = ""};
  CHECK(written(format, {"a\"b", "\xff"}) == R"({"parts":["a\"b",{"base64":"/w=="}]})");
  delivery_facts facts{
      .known = true, .queue = "q", .sequence = 7, .attempt = 2, .redelivered = true};
  CHECK(written(format, {"x"}, facts) ==
        R"({"queue":"q","sequence":7,"attempt":2,"redelivered":true,"parts":["x"]})");
  random_source source(42);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> parts(1 + source.below(4));
    for (std::string& part : parts) {
      part.resize(source.below(9));
      // Mostly the bytes that begin and continue UTF-8 characters.
      for (char& c : part)
        c = static_cast<char>(source.below(2) ? 0x80 + source.below(128) : source.below(256));
    }
    const auto back = parse_line(format, written(format, parts));
    REQUIRE(back.ok());
    REQUIRE(*back == parts);
  }
}

TEST_CASE("what is no message says why") {
  const line_format format{.json = true, .separator = ""};
  for (const char* bad :
       {"", "x", "[]", "{}", R"({"parts":[]})", R"({"parts":"a"})", R"({"parts":[1]})",
        R"({"parts":[{"base64":"a"}]})", R"({"parts":[{"base64":"a*=="}]})",
        R"({"parts":[{"base64":"a==="}]})", R"({"parts":[{"other":"x"}]})"}) {
    const auto parts = parse_line(format, bad);
    CHECK_MESSAGE(!parts.ok(), bad);
    CHECK_FALSE(parts.text().empty());
  }
}
