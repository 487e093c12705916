#include "devices/config/units.hpp"

#include <doctest/doctest.h>

#include <array>

#include "base/clock.hpp"
#include "devices/config/nearest.hpp"

using namespace holdfast;

TEST_CASE("sizes") {
  CHECK(*parse_bytes("20GiB") == 20ull << 30);
  CHECK(*parse_bytes("20 GiB") == 20ull << 30);
  CHECK(*parse_bytes("1MB") == 1'000'000);
  CHECK(*parse_bytes("4096") == 4096);
  CHECK(*parse_bytes("0") == 0);
  for (const char* bad : {"", "GiB", "-1", "+1", "1.5GiB", "20Gb", "0x10", "1 2", "20GiBB",
                          "99999999999999999999", "16777216TiB"})
    CHECK_MESSAGE(parse_bytes(bad).kind() == errc::invalid, bad);
  CHECK(*parse_bytes("16777215TiB") == 16777215ull << 40);
}

TEST_CASE("durations") {
  CHECK(*parse_duration("50ms") == 50 * ms_ns);
  CHECK(*parse_duration("2h") == 7200 * second_ns);
  CHECK(*parse_duration("0") == 0);
  for (const char* bad : {"50", "", "ms", "-1s", "1.5s", "5 minutes"})
    CHECK_MESSAGE(parse_duration(bad).kind() == errc::invalid, bad);
}

TEST_CASE("durabilities, there and back") {
  for (const char* text : {"disk", "process", "interval:50ms", "interval:3600000ms"}) {
    const auto read = parse_durability(text);
    REQUIRE_MESSAGE(read.ok(), text);
    CHECK(to_text(*read) == text);
  }
  for (const char* bad :
       {"", "Disk", "interval", "interval:", "interval:10us", "interval:2h", "none"})
    CHECK_MESSAGE(parse_durability(bad).kind() == errc::invalid, bad);
}

TEST_CASE("the nearest word") {
  constexpr std::array<std::string_view, 5> verbs{"run", "pipeline", "push", "pull", "status"};
  CHECK(nearest("pipelin", verbs) == "pipeline");
  CHECK(nearest("psuh", verbs) == "push");
  CHECK(nearest("PULL", verbs) == "pull");
  CHECK(nearest("stat", verbs) == "status");
  CHECK(nearest("rnu", verbs) == "run");
  CHECK(nearest("banana", verbs).empty());
  CHECK(nearest("x", verbs).empty());
  CHECK(nearest("", verbs).empty());
  CHECK(nearest(std::string(10'000, 'p'), verbs).empty());
  CHECK(suggestion("psuh", verbs) == "; did you mean 'push'?");
  CHECK(suggestion("banana", verbs) == "; one of: run, pipeline, push, pull, status");
}
