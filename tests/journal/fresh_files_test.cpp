// Zeros go ahead of small commits in files that were made, and nowhere else; what is read stays
// what was written.
#include <doctest/doctest.h>

#include "journal/fresh_files.hpp"

#include <poll.h>

#include <vector>

#include "base/random.hpp"
#include "journal/file_storage.hpp"
#include "journal/sync_pace.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t page = fresh_files::page_bytes, mib = 1 << 20;

struct disk {
  temporary_directory directory;
  std::unique_ptr<storage> files;
  file_id file = 0;
  std::vector<std::byte> written;

  explicit disk(std::uint64_t size) : written(size) {
    auto opened = open_file_storage(directory.path, {});
    REQUIRE(opened.ok());
    files = std::move(*opened);
    file = files->assign("one");
    io_op make;
    make.what = io_op::kind::create;
    make.file = file;
    make.size = size;
    carry_out({&make, 1});
  }
  void carry_out(std::span<io_op> ops) {
    const std::size_t wanted = ops.size();
    files->submit(ops);
    std::vector<io_result> results;
    while (results.size() < wanted) {
      files->wait();
      files->poll(results);
    }
    for (const io_result& one : results) REQUIRE(one.error == 0);
  }
  void commit(std::uint64_t at, std::vector<std::byte> bytes) {
    std::copy(bytes.begin(), bytes.end(), written.begin() + static_cast<std::ptrdiff_t>(at));
    io_op ops[2];
    ops[0].what = io_op::kind::write;
    ops[0].at = at;
    ops[0].pieces.push_back(copy_to_buffer(bytes));
    ops[1].what = io_op::kind::sync;
    ops[0].file = ops[1].file = file;
    carry_out(ops);
  }
  void commit(std::uint64_t at, std::size_t size) {
    commit(at, std::vector<std::byte>(size, std::byte{0x5a}));
  }
  bool holds_what_was_written() {
    std::vector<std::byte> read(written.size());
    return files->read_now(file, 0, read).ok() && read == written;
  }
};

}  // namespace

TEST_CASE("fresh files: zeros are due ahead of small commits, one stretch at a time") {
  fresh_files files;
  files.made(1, 4 * mib);
  const auto commit = [&](std::uint64_t begin, std::uint64_t end) {
    files.wrote(1, end);
    files.synced(1, end - begin <= sync_pace::small_bytes);
  };
  std::uint64_t at = 0;
  for (unsigned i = 0; i < fresh_files::small_syncs_min; ++i, at += 100) {
    CHECK(files.due(1).size == 0);
    commit(at, at + 100);
  }
  CHECK(files.due(1).at == page);
  CHECK(files.due(1).size == mib);
  files.zeroed(1, files.due(1));
  CHECK(files.due(1).size == 0);
  CHECK(files.due(1, page + mib - 1).size == 0);
  CHECK(files.due(1, page + mib).size == mib);
  commit(at, 4 * mib - 1);  // large: that was no trickle
  CHECK(files.due(1).size == 0);
  for (unsigned i = 0; i < fresh_files::small_syncs_min; ++i) commit(0, 1);
  CHECK(files.due(1).size == 0);  // nothing is left of it
  CHECK(files.due(2).size == 0);  // was not made here
}

TEST_CASE("fresh files: of many files the newest are known") {
  fresh_files files;
  for (file_id file = 1; file <= 100; ++file) {
    files.made(file, mib);
    for (unsigned i = 0; i < fresh_files::small_syncs_min; ++i) {
      files.wrote(file, i + 1);
      files.synced(file, true);
    }
  }
  CHECK(files.due(100).size > 0);
  CHECK(files.due(95).size > 0);
  CHECK(files.due(90).size == 0);
}

TEST_CASE("fresh files: a trickle finds written space before it, large commits do not") {
  for (const bool small : {true, false}) {
    disk one(8 * mib);
    const std::size_t size = small ? 3000 : 70'000;
    std::uint64_t at = 0;
    for (int i = 0; i < 12; ++i, at += size) one.commit(at, size);
    const std::uint64_t written = one.files->written_end(one.file);
    if (written == ~std::uint64_t{0}) continue;  // a file system that does not say
    CHECK(written >= at);
    CHECK((written >= mib) == small);
  }
}

TEST_CASE("fresh files: whatever is written, in whatever order, is what is read") {
  random_source random(20261128);
  for (int round = 0; round < 8; ++round) {
    disk one(3 * mib);
    std::uint64_t end = 0;
    while (end < 3 * mib - 1) {
      const std::uint64_t back = random.chance(10) ? random.below(end + 1) : 0;
      const std::uint64_t begin = end - back;
      const std::uint64_t most = random.chance(20) ? 200'000 : 20'000;
      const auto size = std::min<std::uint64_t>(1 + random.below(most), 3 * mib - begin);
      std::vector<std::byte> bytes(size);
      for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
      one.commit(begin, std::move(bytes));
      end = std::max(end, begin + size);
    }
    CHECK(one.holds_what_was_written());
  }
}

}  // namespace holdfast::testing
