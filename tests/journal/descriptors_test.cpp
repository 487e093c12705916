// A journal of more segments than the process may have descriptors: written, read in any order,
// opened again, freed. Only segments that are written stay open.
#include <doctest/doctest.h>

#include <sys/resource.h>

#include <cstdlib>

#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr rlim_t allowed = 64;
constexpr std::uint64_t segments = 2000;
constexpr std::uint64_t per_segment = 3;

/// The process has few descriptors while one lives; with 3 it can open nothing more.
struct few_descriptors {
  explicit few_descriptors(rlim_t count = allowed) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{count, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

void append(journal& log, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t n = from; n <= to; ++n) {
    append_item item = block_item(1, n, 1, 3500, level::process);
    log.append({&item, 1});
    if (n % (10 * per_segment) == 0) REQUIRE(log.flush().ok());
  }
  REQUIRE(log.flush().ok());
}

// One message, wherever it is.
void read_one(journal& log, std::uint64_t sequence) {
  std::vector<block> got;
  while (got.empty()) {
    const fetched outcome = log.read(1, sequence, {1, 1}, got);
    REQUIRE(outcome.outcome != fetch::gap);
    REQUIRE(outcome.outcome != fetch::end);
    log.progress();
  }
  CHECK(got[0].first == sequence);
  CHECK(right(got[0]));
}

void no_troubles(journal& log) {
  for (const std::string& said : log.take_troubles()) FAIL_CHECK(said);
}

TEST_CASE("descriptors: 2000 segments with 64 descriptors") {
  const few_descriptors limit;
  std::uint64_t messages = segments * per_segment;
  temporary_directory dir;
  journal_options options = small_segments();
  options.checkpoint_bytes = 1 << 30;
  random_source random(7);
  for (const bool zero_copy : {true, false, true}) {
    options.zero_copy = zero_copy;
    open_report report;
    auto opened = open_journal(dir.path, options, report);
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    journal& log = **opened;
    std::uint64_t seen = 0;
    REQUIRE(log.replay([&seen](auto batch) { seen += batch.size(); }).ok());
    if (report.created) append(log, 1, messages);
    CHECK((report.created || seen == messages));
    CHECK(log.stats().segments >= segments);
    CHECK(open_descriptors() < allowed / 2);
    for (int i = 0; i < 500; ++i) read_one(log, 1 + random.below(messages));
    CHECK(open_descriptors() < allowed / 2);
    append(log, messages + 1, messages + 100);
    messages += 100;
    no_troubles(log);
    REQUIRE(log.close().ok());
  }
}

TEST_CASE("descriptors: where none is left, those of segments that are only read are given up") {
  temporary_directory dir;
  journal_options options = small_segments();
  options.zero_copy = false;
  open_report report;
  auto opened = open_journal(dir.path, options, report);
  REQUIRE(opened.ok());
  REQUIRE((*opened)->replay([](auto) {}).ok());
  append(**opened, 1, 300);
  for (std::uint64_t n = 1; n < 300; n += 3) read_one(**opened, n);
  const std::size_t before = open_descriptors();
  std::vector<int> taken;
  {
    const few_descriptors limit;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);  // all that are left
    append(**opened, 301, 400);
    no_troubles(**opened);
    for (std::uint64_t n = 1; n < 400; n += 3) read_one(**opened, n);
  }
  CHECK(open_descriptors() - taken.size() < before);
  for (const int fd : taken) ::close(fd);
  CHECK((*opened)->close().ok());
}

TEST_CASE("descriptors: what cannot be opened for want of one is read later, and never lost") {
  temporary_directory dir;
  journal_options options = small_segments();
  options.zero_copy = false;
  options.read_files_max = 0;
  open_report report;
  auto opened = open_journal(dir.path, options, report);
  REQUIRE(opened.ok());
  journal& log = **opened;
  REQUIRE(log.replay([](auto) {}).ok());
  append(log, 1, 60);
  std::vector<block> got;
  {
    const few_descriptors limit(3);
    bool told = false;  // of the reader; the load of an index may be told first
    while (!told) {
      REQUIRE(log.read(1, 1, {1, 1}, got).outcome == fetch::pending);
      log.progress();
      for (const std::string& said : log.take_troubles())
        told = told || said.find("wait until it can be opened") != std::string::npos;
    }
    CHECK(log.next_deadline() < never_ns);
    REQUIRE(log.read(1, 1, {1, 1}, got).outcome == fetch::pending);
  }
  for (std::uint64_t n = 1; n <= 60; ++n) read_one(log, n);
  CHECK(log.close().ok());
}

}  // namespace
}  // namespace holdfast::testing
