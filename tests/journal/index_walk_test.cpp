// Tools that want only some records find all of them, and read little else.
#include <doctest/doctest.h>
#include <poll.h>

#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr stream_id streams = 200;

std::size_t index_files(const std::string& path) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(path + "/seg"))
    files += entry.path().extension() == ".idx" ? 1 : 0;
  return files;
}

// 16 segments of small messages to many streams, the clock moving on by a second each.
std::uint64_t fill(const std::string& path) {
  journal_options options;
  options.segment_bytes = 256 << 10;
  options.idle_watermark_ns = 3600 * second_ns;
  open_report report;
  auto log = open_journal(path, options, report);
  REQUIRE_MESSAGE(log.ok(), log.text());
  REQUIRE((*log)->replay([](std::span<const record_view>) {}).ok());
  std::uint64_t time = 1'000'000 * second_ns;
  for (std::uint64_t n = 1; n <= 100; ++n) {
    for (stream_id s = 1; s <= streams; ++s) {
      append_item item = block_item(s, n, 1, 120);
      item.head.time_ns = time += second_ns;
      (*log)->append({&item, 1});
    }
    append_item item = control_item(record_type::producer_def, n);
    (*log)->append({&item, 1});
    REQUIRE((*log)->flush().ok());
  }
  while (index_files(path) + 2 < (*log)->stats().segments) {
    pollfd ready{(*log)->wake_fd(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 20'000) == 1);
    (*log)->progress();
  }
  REQUIRE((*log)->close().ok());
  return time;
}

struct outcome {
  std::vector<std::uint64_t> sequences;
  std::uint64_t records = 0;
  std::uint64_t definitions = 0;
};

outcome look(const std::string& path, const record_choice& wanted, stream_id of,
             std::uint64_t from_ns) {
  auto reader = journal_reader::open(path);
  REQUIRE(reader.ok());
  outcome got;
  const auto sum = (*reader)->verify(
      0,
      [&](const seen_record& seen) {
        ++got.records;
        const record_head& head = seen.record.head;
        got.definitions += head.type == record_type::producer_def ? 1 : 0;
        if (head.type != record_type::block || head.stream != of || head.time_ns < from_ns)
          return true;
        CHECK(right(seen.record));
        got.sequences.push_back(head.first_sequence);
        return true;
      },
      wanted);
  REQUIRE(sum.ok());
  CHECK(sum->damaged.empty());
  return got;
}

TEST_CASE("by an index only what is wanted is read, and all of it") {
  const temporary_directory where;
  const std::uint64_t end = fill(where.path);
  REQUIRE(index_files(where.path) > 10);
  const outcome all = look(where.path, {}, 7, 0);
  REQUIRE(all.sequences.size() == 100);
  const outcome one = look(where.path, {[](stream_id s) { return s == 7; }, 0}, 7, 0);
  CHECK(one.sequences == all.sequences);
  CHECK(one.definitions == 100);
  CHECK(one.records < all.records / 5);
  const std::uint64_t late = end - 3000 * second_ns;
  const outcome some = look(where.path, {nullptr, late}, 7, late);
  CHECK(some.sequences == look(where.path, {}, 7, late).sequences);
  CHECK(some.sequences.size() == 15);
  CHECK(some.records < all.records / 3);
  // Without index files, and with one that is damaged: the same, by going through all.
  for (const auto& entry : fs::directory_iterator(where.path + "/seg"))
    if (entry.path().extension() == ".idx") fs::resize_file(entry.path(), 200);
  CHECK(look(where.path, {[](stream_id s) { return s == 7; }, 0}, 7, 0).sequences == all.sequences);
}

}  // namespace
}  // namespace holdfast::testing
