// cursor and range_map against the plainest thing that could work, and the limits of their memory.
#include <doctest/doctest.h>

#include <set>

#include "base/random.hpp"
#include "patterns/cursor.hpp"
#include "patterns/range_map.hpp"

using namespace holdfast;

TEST_CASE("acks in order need no bitmap") {
  cursor c;
  CHECK(c.floor() == 1);
  CHECK(c.mark(1, 1'000'001) == 1'000'000);
  CHECK(c.floor() == 1'000'001);
  CHECK(c.mark(5, 10) == 0);
  CHECK(c.bytes() == 0);
}

TEST_CASE("one stuck message pins at most a bit for each one acked above it") {
  cursor c;
  for (std::uint64_t at = 2; at < 10'000'000; at += 1000) c.mark(at, at + 1000);
  CHECK(c.floor() == 1);
  CHECK(c.bytes() <= 3 * cursor::chunk_messages / 8);  // full chunks are freed
  CHECK(c.done(9'999'000));
  CHECK(!c.done(1));
  CHECK(c.next_open(2) == 10'000'002);
  CHECK(c.mark(1, 2) == 1);
  CHECK(c.floor() == 10'000'002);
  CHECK(c.bytes() == 0);
}

TEST_CASE("every other message acked costs a bit a message") {
  cursor c;
  const std::uint64_t messages = 1'000'000;
  for (std::uint64_t at = 2; at < messages; at += 2) c.mark(at, at + 1);
  CHECK(c.bytes() <= messages / 8 + 2 * cursor::chunk_messages / 8);
}

TEST_CASE("a cursor agrees with a set of numbers") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    random_source random(seed);
    const std::uint64_t limit = seed % 2 ? 400 : 3 * cursor::chunk_messages;
    std::vector<bool> plain(limit + 1);
    cursor c;
    for (int step = 0; step < 400; ++step) {
      const std::uint64_t first = 1 + random.below(limit - 1);
      const std::uint64_t end = std::min(limit, first + 1 + random.below(limit / 20));
      std::uint64_t fresh = 0;
      for (std::uint64_t at = first; at < end; ++at) {
        fresh += !plain[at];
        plain[at] = true;
      }
      REQUIRE(c.mark(first, end) == fresh);
      std::uint64_t floor = 1;
      while (floor < limit && plain[floor]) ++floor;
      REQUIRE(c.floor() == floor);
      const std::uint64_t from = 1 + random.below(limit - 1);
      std::uint64_t open = from, done = from;
      while (open < limit && plain[open]) ++open;
      while (done < limit && !plain[done]) ++done;
      REQUIRE(c.next_open(from) == open);
      REQUIRE(c.next_done(from, limit) == done);
      REQUIRE(c.done(from) == plain[from]);
    }
    state_writer row;
    row.begin(row_kind::queue);
    c.write(row);
    row.end();
    state_reader back(row.bytes());
    REQUIRE(back.next());
    cursor again;
    REQUIRE(again.read(back));
    CHECK(again.floor() == c.floor());
    bool same = true;
    for (std::uint64_t at = 1; at < limit; ++at) same = same && again.done(at) == plain[at];
    CHECK(same);
  }
}

TEST_CASE("a cursor's row that is cut short is refused") {
  cursor c;
  c.mark(10, 20);
  state_writer row;
  row.begin(row_kind::queue);
  c.write(row);
  row.end();
  row.bytes().resize(row.bytes().size() - 1);
  store(row.bytes().data(), static_cast<std::uint32_t>(row.bytes().size() - 4));
  state_reader back(row.bytes());
  REQUIRE(back.next());
  cursor again;
  CHECK(!again.read(back));
}

TEST_CASE("runs of sequences agree with a map of numbers") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    random_source random(seed);
    std::map<std::uint64_t, int> plain;
    range_map<int> runs;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t first = 1 + random.below(100), end = first + 1 + random.below(20);
      const int value = static_cast<int>(random.below(3));
      if (random.chance(50)) {
        bool free = true;
        for (std::uint64_t at = first; at < end; ++at) free = free && !plain.contains(at);
        if (!free) continue;
        runs.insert(first, end, value);
        for (std::uint64_t at = first; at < end; ++at) plain[at] = value;
      } else {
        std::map<std::uint64_t, int> taken, expected;
        runs.carve(
            first, end, [&](int v) { return v != value; },
            [&](std::uint64_t from, std::uint64_t to, int v) {
              for (; from < to; ++from) taken[from] = v;
            });
        for (std::uint64_t at = first; at < end; ++at) {
          const auto it = plain.find(at);
          if (it == plain.end() || it->second == value) continue;
          expected.insert(*it);
          plain.erase(it);
        }
        REQUIRE(taken == expected);
      }
      std::map<std::uint64_t, int> all;
      std::uint64_t last_end = 0;
      for (const auto& [from, run] : runs) {
        REQUIRE(from >= last_end);
        last_end = run.end;
        for (std::uint64_t at = from; at < run.end; ++at) all[at] = run.value;
      }
      REQUIRE(all == plain);
      const std::uint64_t probe = random.below(130);
      const auto at = runs.at_or_after(probe);
      const auto next = plain.lower_bound(probe);
      REQUIRE((at == runs.end()) == (next == plain.end()));
      if (next != plain.end()) REQUIRE(std::max(at->first, probe) == next->first);
    }
  }
}
