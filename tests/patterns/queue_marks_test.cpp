// queue_marks and retention_rules at their edges; what limits do to a queue is in the model test.
#include "patterns/queue/queue_marks.hpp"

#include <doctest/doctest.h>

#include "base/clock.hpp"

using namespace holdfast;

TEST_CASE("a large block has a mark of its own, so that its size is nobody else's") {
  queue_marks marks({0, 1600, 0});
  marks.append(1, 10, 90, 0);
  marks.append(11, 1, 1500, 0);
  marks.append(12, 10, 90, 0);
  CHECK(marks.bytes() == 1680);
  CHECK(marks.keep_from(0) == 11);  // the oldest ten are enough
  marks.finish(11, 12);
  CHECK(marks.bytes() == 180);
  CHECK(marks.keep_from(0) == 0);
}

TEST_CASE("what is finished counts no longer, whatever its neighbours do") {
  queue_marks marks({0, 100, 0});
  marks.append(1, 20, 200, 0);
  CHECK(marks.keep_from(0) == 21);  // one block is one mark: it goes as a whole
  marks.finish(1, 6);
  marks.finish(10, 15);
  CHECK(marks.open() == 10);
  CHECK(marks.bytes() == 100);
  CHECK(marks.keep_from(0) == 0);
}

TEST_CASE("age takes a mark when its newest message is old, and says when") {
  queue_marks marks({16 * second_ns, 0, 0});
  marks.append(1, 1, 10, 100 * second_ns);
  marks.append(2, 1, 10, 100 * second_ns + second_ns / 2);
  marks.append(3, 1, 10, 90 * second_ns);  // a calendar that goes back makes nothing older
  marks.append(4, 1, 10, 102 * second_ns);
  CHECK(marks.keep_from(116 * second_ns) == 0);
  CHECK(marks.next_expiry_ns(116 * second_ns) == 116 * second_ns + second_ns / 2);
  CHECK(marks.keep_from(117 * second_ns) == 4);
  CHECK(marks.next_expiry_ns(117 * second_ns) == 118 * second_ns);
  CHECK(marks.keep_from(118 * second_ns) == 5);
  CHECK(marks.next_expiry_ns(118 * second_ns) == never_ns);
}

TEST_CASE("beyond the most marks the oldest are joined: nothing is lost and nothing leaves early") {
  queue_marks marks({1000 * second_ns, 1, 0});  // each block a mark
  constexpr std::uint64_t blocks = 2 * queue_marks::marks_max;
  for (std::uint64_t i = 1; i <= blocks; ++i) marks.append(i, 1, 7, i * second_ns);
  CHECK(marks.open() == blocks);
  CHECK(marks.bytes() == 7 * blocks);
  queue_marks by_age({1600 * second_ns, 0, 0});
  for (std::uint64_t i = 1; i <= blocks; ++i) by_age.append(i, 1, 7, i * 100 * second_ns);
  CHECK(by_age.keep_from(1700 * second_ns) <= 2);
}

TEST_CASE("marks come back from a row; messages without one are as old as the row at least") {
  queue_marks marks({10 * second_ns, 1000, 0});
  marks.append(5, 3, 30, 50 * second_ns);
  state_writer rows;
  rows.begin(row_kind::queue_marks);
  marks.write(rows);
  rows.end();
  state_reader row(rows.bytes());
  REQUIRE(row.next());
  queue_marks again({10 * second_ns, 1000, 0});
  again.read(row);
  CHECK(again.first() == 5);
  CHECK(again.open() == 3);
  CHECK(again.bytes() == 30);
  again.adopt(1, 5, 2, 45 * second_ns);
  CHECK(again.open() == 5);
  CHECK(again.bytes() == 30);
  CHECK(again.keep_from(54 * second_ns) == 0);
  CHECK(again.keep_from(55 * second_ns) == 5);
}

TEST_CASE("the name itself beats a prefix, a longer prefix a shorter one") {
  retention_rules rules;
  CHECK_FALSE(rules.any());
  rules.all = {1, 2, 3};
  rules.some = {{"a", true, 10, {}, {}}, {"ab", true, {}, 20, {}}, {"abc", false, {}, {}, 0}};
  CHECK(rules.of("x") == queue_limits{1, 2, 3});
  CHECK(rules.of("a") == queue_limits{10, 2, 3});
  CHECK(rules.of("abcd") == queue_limits{1, 20, 3});
  CHECK(rules.of("abc") == queue_limits{1, 2, 0});
}
