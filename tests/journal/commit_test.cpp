// Commits end with their page where that spares the disk a second write of it, and nowhere else;
// what fills the page is nothing to anybody.
#include <doctest/doctest.h>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::size_t body = 1000;  // records of 1072 bytes: no number of them fills whole pages

struct line : rig {
  line() {
    options.segment_bytes = 256 << 10;
    must_open();
    settle_down();
  }
  void add(int messages, level need = level::disk) {
    for (; messages != 0; --messages) items.push_back(block_item(1, next++, 1, body, need));
  }
  /// Appends what was added as one turn; where the log ends then.
  std::uint64_t turn() {
    log->append(items);
    items.clear();
    return log->next_position();
  }
  std::vector<append_item> items;
  std::uint64_t next = 1;
};

TEST_CASE("a commit of 8 KiB alone ends with its page, a smaller one does not") {
  line on;
  on.add(8);
  CHECK(on.turn() % page == 0);
  on.settle_down();
  on.add(9);
  CHECK(on.turn() % page == 0);
  on.settle_down();
  on.add(3);
  const std::uint64_t small = on.turn();
  CHECK(small % page == 3 * record_size(body));
}

TEST_CASE("commits that queue up, and what asks for no sync, are not filled up") {
  line on;
  on.add(8);
  CHECK(on.turn() % page == 0);
  for (int i = 1; i <= 3; ++i) {  // the first is still under way: these become one
    on.add(8);
    CHECK(on.turn() % page == i * 8 * record_size(body) % page);
  }
  on.settle_down();
  const std::uint64_t before = on.log->next_position();
  on.add(8, level::process);
  CHECK(on.turn() == before + 8 * record_size(body));
}

TEST_CASE("what fills a page is handed to nobody, neither live nor in replay") {
  line on;
  for (int i = 0; i < 5; ++i) {
    on.add(8);
    on.turn();
    on.settle_down();
  }
  CHECK(on.read_all(1, 1).size() == 40);
  on.must_open();
  CHECK(on.records.size() == 40);
  CHECK(on.report.damaged.empty());
  CHECK(!on.report.torn);
  for (const block& b : on.read_all(1, 1)) CHECK(right(b));
}

}  // namespace
}  // namespace holdfast::testing
