#include <doctest/doctest.h>

#include "devices/cli/progress.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t mib = 1ull << 20;

TEST_CASE("progress says share, rate and time left") {
  CHECK(progress_text("verify", 512 * mib, 2048 * mib, 2 * second_ns) ==
        "verify: 25 %, 512.0 MiB of 2.0 GiB, 256.0 MiB/s, 6 s left");
  CHECK(progress_text("export", 0, 10, 0) == "export: 0 %, 0 B of 10 B");
  CHECK(progress_text("export", 20, 10, second_ns) ==
        "export: 100 %, 10 B of 10 B, 10 B/s, 0 s left");
  CHECK(progress_text("x", 1, 100, second_ns) == "x: 1 %, 1 B of 100 B, 1 B/s, 1 min 39 s left");
  CHECK(progress_text("x", 1, 10'000, second_ns).ends_with(", 2 h 46 min left"));
  CHECK(progress_text("x", 1, ~std::uint64_t{0}, second_ns).ends_with(", 99 h 59 min left"));
  CHECK(progress_text("x", 0, 0, second_ns) == "x: 100 %, 0 B of 0 B");
}

TEST_CASE("progress writes five times a second at most, and wipes its line") {
  std::uint64_t now = 7;
  std::vector<std::string> lines;
  {
    progress shown(
        "verify", 100 * mib,
        [&now] {
          return instant{now, 0};
        },
        [&lines](const std::string& text) { lines.push_back(text); });
    for (int i = 0; i < 100; ++i) {
      shown.at(static_cast<std::uint64_t>(i) * mib);
      now += second_ns / 50;
    }
    CHECK(lines.size() == 9);
    CHECK(lines[0].starts_with("\rverify: 10 %"));
  }
  CHECK(lines.size() == 10);
  CHECK(lines.back() == "\r\x1b[K");
}

TEST_CASE("what is done at once is not shown at all, and a silent one asks no clock") {
  std::vector<std::string> lines;
  {
    progress shown(
        "verify", 1,
        [] {
          return instant{1, 1};
        },
        [&lines](const std::string& text) { lines.push_back(text); });
    shown.at(1);
  }
  CHECK(lines.empty());
  progress silent("verify", 1,
                  [] {
                    FAIL("asked the clock");
                    return instant{};
                  },
                  {});
  silent.at(1);
}

}  // namespace
}  // namespace holdfast::cli
