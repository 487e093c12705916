// The journal on real files: the production storage, its lock, and a writer killed with SIGKILL.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "journal/open.hpp"
#include "journal/reader.hpp"
#include "journal/segment_table.hpp"
#include "tests/journal/rig.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

journal_options small() {
  journal_options options;
  options.segment_bytes = 256 << 10;
  options.tail_bytes = 32 << 10;
  return options;
}

std::unique_ptr<journal> open(const std::string& path, open_report& report,
                              std::vector<std::uint64_t>* sequences = nullptr) {
  auto opened = open_journal(path, small(), report);
  REQUIRE_MESSAGE(opened.ok(), opened.text());
  auto log = std::move(opened).value();
  bool exact = true;
  REQUIRE(log->replay([&](std::span<const record_view> batch) {
               for (const record_view& v : batch) {
                 exact &= right(v);
                 if (sequences) sequences->push_back(v.head.first_sequence);
               }
             })
              .ok());
  REQUIRE(exact);
  return log;
}

std::vector<block> read_all(journal& log, stream_id stream) {
  std::vector<block> all;
  for (std::uint64_t from = 1;;) {
    const fetched got = log.read(stream, from, {100, 1 << 20}, all);
    if (got.outcome == fetch::end) return all;
    REQUIRE(got.outcome != fetch::gap);
    if (got.outcome == fetch::ok) from = all.back().first + all.back().count;
    log.progress();
  }
}

TEST_CASE("files: append, read from maps, reopen") {
  temporary_directory dir;
  open_report report;
  auto log = open(dir.path, report);
  CHECK(report.created);
  CHECK(log->wake_fd() >= 0);
  for (std::uint64_t i = 1; i <= 500; ++i) {
    append_item item = block_item(1, i, 1, i == 250 ? 2'000'000 : i * 13 % 5000);
    log->append({&item, 1});
    log->progress();
  }
  REQUIRE(log->flush().ok());
  const auto all = read_all(*log, 1);
  REQUIRE(all.size() == 500);
  bool maps = false;
  for (const block& b : all) {
    CHECK(right(b));
    maps |= b.body.owner()->what() == buffer::kind::map;
  }
  CHECK(maps);
  REQUIRE(log->begin_checkpoint());
  log->add_checkpoint_rows(body_of(1, 1, 5000));
  log->finish_checkpoint();
  REQUIRE(log->close().ok());
  log.reset();
  for (const block& b : all) CHECK(right(b));  // maps outlive the journal
  auto opened = open_journal(dir.path, small(), report);
  REQUIRE(opened.ok());
  CHECK((*opened)->checkpoint_rows().size() == 5000);
  REQUIRE((*opened)->replay([](auto) {}).ok());
  CHECK(report.clean);
  CHECK(!report.other_boot);
  CHECK(read_all(**opened, 1).size() == 500);
}

TEST_CASE("files: a second device is refused with the path") {
  temporary_directory dir;
  open_report report;
  const auto log = open(dir.path, report);
  open_report other;
  const auto second = open_journal(dir.path, small(), other);
  CHECK(second.kind() == errc::in_use);
  CHECK(second.text().find(dir.path) != std::string_view::npos);
}

TEST_CASE("files: a reader verifies a live journal and finds damage in a dead one") {
  temporary_directory dir;
  CHECK(journal_reader::open(dir.path).kind() == errc::not_found);
  open_report report;
  auto log = open(dir.path, report);
  for (std::uint64_t i = 1; i <= 200; ++i) {
    append_item item = block_item(1, i, 2, 3000);
    log->append({&item, 1});
  }
  REQUIRE(log->flush().ok());
  REQUIRE(log->begin_checkpoint());
  log->finish_checkpoint();
  REQUIRE(log->flush().ok());
  auto live = journal_reader::open(dir.path);
  REQUIRE(live.ok());
  auto sum = (*live)->verify();
  REQUIRE(sum.ok());
  CHECK(sum->messages == 400);
  CHECK(sum->damaged.empty());
  CHECK(sum->problems.empty());
  CHECK((*live)->info().segments.size() == 3);
  REQUIRE((*live)->info().checkpoints.size() == 1);
  CHECK((*live)->info().checkpoints[0].readable);
  std::uint64_t hit = 0;
  std::string name;
  REQUIRE((*live)
              ->walk(0,
                     [&](const seen_record& seen) {
                       if (seen.record.head.first_sequence != 100) return true;
                       hit = seen.record.position;
                       name = segment_name(seen.slot);
                       return false;
                     })
              .ok());
  REQUIRE(log->close().ok());
  log.reset();
  std::FILE* file = std::fopen((dir.path + "/" + name).c_str(), "r+b");
  REQUIRE(file != nullptr);
  std::uint64_t base = 0;
  for (const segment_info& s : (*live)->info().segments)
    if (s.name == name) base = s.header.base;
  std::fseek(file, static_cast<long>(hit - base + 500), SEEK_SET);
  std::fputc(0x7f, file);
  std::fputc(0x7e, file);
  std::fclose(file);
  auto dead = journal_reader::open(dir.path);
  REQUIRE(dead.ok());
  sum = (*dead)->verify();
  REQUIRE(sum.ok());
  REQUIRE(sum->damaged.size() == 1);
  CHECK(sum->damaged[0].position == hit);
  CHECK(sum->damaged[0].messages == range{100, 2});
}

// Anonymous memory of this process, bytes.
std::uint64_t anonymous_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  return 0;
}

TEST_CASE("files: memory does not grow with the backlog, and it drains in order") {
  temporary_directory dir;
  open_report report;
  journal_options options;
  options.segment_bytes = 4 << 20;
  options.tail_bytes = 2 << 20;
  options.memory_budget = 8 << 20;
  options.sync_bytes = 2 << 20;
  auto opened = open_journal(dir.path, options, report);
  REQUIRE(opened.ok());
  journal& log = **opened;
  REQUIRE(log.replay([](auto) {}).ok());
  const append_item sample = block_item(1, 1, 1, 80, level::process);
  std::uint64_t next = 1;
  std::uint64_t after_first = 0;
  // The first part fills the memory budget once: what malloc keeps of that is no growth.
  const std::uint64_t first_part = 120'000;
  const std::uint64_t all = 1'320'000;
  while (next <= all) {
    std::vector<append_item> items(200, sample);
    for (append_item& item : items) {
      item.head.first_sequence = next++;
      item.body = copy_to_buffer(sample.body.bytes());
    }
    log.append(items);
    if (next > first_part) log.progress();
    while (log.available().message_bytes < 100'000) {
      log.progress();
      std::this_thread::yield();
    }
    if (next == first_part + 1) after_first = anonymous_memory();
  }
  REQUIRE(log.flush().ok());
  const std::uint64_t growth = anonymous_memory() - std::min(anonymous_memory(), after_first);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep freed memory
  CHECK_MESSAGE(growth < (8ull << 20), growth);  // 7 bytes a block: less than any row for each
#else
  MESSAGE("growth under a sanitizer, not judged: " << growth);
#endif
  std::vector<block> out;
  std::uint64_t from = 1;
  while (from <= all) {
    out.clear();
    const fetched got = log.read(1, from, {4096, 1 << 20}, out);
    REQUIRE(got.outcome != fetch::gap);
    REQUIRE(got.outcome != fetch::end);
    if (got.outcome == fetch::pending) std::this_thread::yield();
    for (const block& b : out) {
      REQUIRE(b.first == from);
      from += b.count;
    }
    log.progress();
  }
}

TEST_CASE("files: what is read back lies in maps, or in copies without zero_copy") {
  for (const bool zero_copy : {true, false}) {
    temporary_directory dir;
    open_report report;
    journal_options options = small();
    options.zero_copy = zero_copy;
    auto opened = open_journal(dir.path, options, report);
    REQUIRE(opened.ok());
    REQUIRE((*opened)->replay([](auto) {}).ok());
    std::vector<append_item> items;
    for (std::uint64_t n = 1; n <= 100; ++n) items.push_back(block_item(1, n, 1, 2000));
    (*opened)->append(items);
    REQUIRE((*opened)->flush().ok());
    const std::vector<block> all = read_all(**opened, 1);
    REQUIRE(all.size() == 100);
    const auto expected = zero_copy ? buffer::kind::map : buffer::kind::slab;
    CHECK(all.front().body.owner()->what() == expected);  // the first ones left the tail in memory
    for (const block& b : all) CHECK(right(b));
  }
}

// Writes until killed; tells the pipe how far disk and process marks came.
[[noreturn]] void write_until_killed(const std::string& path, int out, std::uint64_t next) {
  open_report report;
  auto opened = open_journal(path, small(), report);
  if (!opened.ok() || !(*opened)->replay([](auto) {}).ok()) ::_exit(3);
  const std::uint64_t first = next;
  for (std::uint64_t told = 0;;) {
    append_item item =
        block_item(1, next, 1, next * 31 % 4000, next % 3 == 0 ? level::process : level::disk);
    (*opened)->append({&item, 1});
    ++next;
    const marks at = (*opened)->progress();
    const std::uint64_t accepted = first - 1 + at.written;
    if (at.written == told) continue;
    told = at.written;
    if (::write(out, &accepted, sizeof accepted) != sizeof accepted) ::_exit(4);
  }
}

TEST_CASE("files: kill -9 loses nothing that was accepted") {
  temporary_directory dir;
  random_source random(11);
  std::uint64_t recovered = 0;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(dir.path, ends[1], recovered + 1);
    }
    ::close(ends[1]);
    std::uint64_t accepted = 0;
    for (std::uint64_t left = 1 + random.below(100); left != 0; --left)
      REQUIRE(::read(ends[0], &accepted, sizeof accepted) == sizeof accepted);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::uint64_t more = 0;
    while (::read(ends[0], &more, sizeof more) == sizeof more) accepted = more;
    ::close(ends[0]);
    open_report report;
    std::vector<std::uint64_t> sequences;
    auto log = open(dir.path, report, &sequences);
    CHECK(report.damaged.empty());
    REQUIRE(sequences.size() >= accepted);
    for (std::size_t i = 0; i < sequences.size(); ++i) REQUIRE(sequences[i] == i + 1);
    CHECK(read_all(*log, 1).size() == sequences.size());
    recovered = sequences.size();
  }
  CHECK(recovered > 0);
}

}  // namespace
}  // namespace holdfast::testing
