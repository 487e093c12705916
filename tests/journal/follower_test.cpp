// The follower on real files: what is half-written is waited for, what is rotten is told, and it
// stays with the log over new segments, trims, restarts, and what a recovery takes back.
#include <doctest/doctest.h>

#include <cstdio>
#include <thread>

#include "journal/follower.hpp"
#include "journal/open.hpp"
#include "journal/reader.hpp"
#include "tests/journal/rig.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

struct place : temporary_directory {
  void open() {
    journal_options options;
    options.segment_bytes = 256 << 10;
    options.tail_bytes = 0;
    open_report report;
    log.reset();
    auto opened = open_journal(path, options, report);
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    log = std::move(opened).value();
    REQUIRE(log->replay([](auto) {}).ok());
  }
  void append(std::uint64_t first, std::uint64_t last, std::size_t size = 1000) {
    for (std::uint64_t i = first; i <= last; ++i) {
      append_item item = block_item(1, i, 1, size);
      log->append({&item, 1});
    }
    REQUIRE(log->flush().ok());
  }
  // The segment that was made second is still in its file.
  bool second_is_there() const {
    const auto list = list_segments(path);
    REQUIRE(list.ok());
    return std::any_of(list->segments.begin(), list->segments.end(), [](const segment_info& s) {
      return s.name == "seg/000001.seg" && s.header.base == s.header.size;
    });
  }
  // Trims the stream, appends, and waits until at least the second segment is gone.
  void trim_and_append(std::uint64_t to, std::uint64_t first, std::uint64_t last) {
    log->trim(1, to);
    append(first, last);
    for (int round = 0; round < 3; ++round) {
      REQUIRE(log->begin_checkpoint());
      log->finish_checkpoint();
      REQUIRE(log->flush().ok());
    }
    for (int i = 0; second_is_there() && i < 100'000; ++i) {
      log->progress();
      std::this_thread::yield();
    }
    REQUIRE(!second_is_there());
  }
  journal_follower follow(std::uint64_t from = journal_follower::from_first) {
    auto made = journal_follower::open(path, from, [this] { return instant{now_ns, now_ns}; });
    REQUIRE_MESSAGE(made.ok(), made.text());
    return std::move(*made);
  }
  std::FILE* file(const std::string& name) const {
    std::FILE* f = std::fopen((path + "/" + name).c_str(), "r+b");
    REQUIRE(f != nullptr);
    return f;
  }
  // Bytes of the first segment; gives what stood there.
  std::vector<std::byte> exchange(std::uint64_t at, const std::vector<std::byte>& bytes) const {
    std::FILE* f = file("seg/000000.seg");
    std::vector<std::byte> before(bytes.size());
    std::fseek(f, static_cast<long>(at), SEEK_SET);
    REQUIRE(std::fread(before.data(), 1, before.size(), f) == before.size());
    std::fseek(f, static_cast<long>(at), SEEK_SET);
    REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size());
    std::fclose(f);
    return before;
  }

  std::uint64_t now_ns = second_ns;
  std::unique_ptr<journal> log;
};

struct taken {
  std::vector<std::uint64_t> sequences;  // of good blocks
  std::vector<std::uint64_t> positions;
  std::vector<followed> told;  // what was no record
};

// Everything that can be had now.
taken take_all(journal_follower& from) {
  taken all;
  for (;;) {
    const followed found = from.next();
    if (found.what == followed::kind::idle) return all;
    if (found.what != followed::kind::record) {
      all.told.push_back(found);
      continue;
    }
    if (found.seen.record.head.type != record_type::block) continue;
    REQUIRE(right(found.seen.record));
    all.sequences.push_back(found.seen.record.head.first_sequence);
    all.positions.push_back(found.seen.record.position);
  }
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> list;
  for (; first <= last; ++first) list.push_back(first);
  return list;
}

TEST_CASE("follower: new records, new segments, restarts, each record once and in order") {
  place at;
  at.open();
  at.append(1, 10);
  journal_follower all = at.follow();
  journal_follower next = at.follow(journal_follower::from_next);
  CHECK(take_all(all).sequences == numbers(1, 10));
  CHECK(take_all(next).sequences.empty());
  at.append(11, 700);  // three segments
  CHECK(take_all(all).sequences == numbers(11, 700));
  const taken later = take_all(next);
  CHECK(later.sequences == numbers(11, 700));
  at.open();
  at.append(701, 710);
  CHECK(take_all(all).sequences == numbers(701, 710));
  CHECK(take_all(all).told.empty());
  journal_follower resumed = at.follow(later.positions[300]);
  CHECK(take_all(resumed).sequences == numbers(311, 710));
  journal_follower between = at.follow(later.positions[300] + 16);
  CHECK(take_all(between).sequences == numbers(312, 710));
}

TEST_CASE("follower: a half-written record is waited for") {
  place at;
  at.open();
  at.append(1, 3);
  journal_follower first = at.follow();
  const taken all = take_all(first);
  REQUIRE(all.positions.size() == 3);
  const std::uint64_t last = all.positions[2];
  for (const std::uint64_t torn : {last, last + 40, last + 64, last + 1000}) {
    const auto whole = at.exchange(torn, std::vector<std::byte>(40));
    journal_follower f = at.follow();
    CHECK(take_all(f).sequences == numbers(1, 2));
    at.now_ns += 100 * second_ns;
    CHECK(take_all(f).told.empty());  // nothing proves that it is more than not finished
    at.exchange(torn, whole);
    CHECK(take_all(f).sequences == numbers(3, 3));
  }
}

TEST_CASE("follower: rot in the newest segment is told where good records prove it") {
  place at;
  at.open();
  at.append(1, 2);
  at.append(3, 4);  // their watermark lies above 1 and 2
  at.append(5, 6);
  journal_follower clean = at.follow();
  const taken all = take_all(clean);
  for (const std::uint64_t offset : {std::uint64_t{500}, std::uint64_t{30}}) {
    const auto whole = at.exchange(all.positions[1] + offset, std::vector<std::byte>(8));
    journal_follower f = at.follow();
    const taken rest = take_all(f);
    CHECK(rest.sequences == std::vector<std::uint64_t>{1, 3, 4, 5, 6});
    REQUIRE(rest.told.size() == 1);
    CHECK(rest.told[0].what == followed::kind::damaged);
    CHECK(rest.told[0].from == all.positions[1]);
    CHECK(rest.told[0].to == all.positions[2]);
    if (offset == 500) CHECK(rest.told[0].rot.messages == range{2, 1});
    at.exchange(all.positions[1] + offset, whole);
  }
}

TEST_CASE("follower: rot in the last record is told where a checkpoint proves it") {
  for (const std::uint64_t offset : {std::uint64_t{500}, std::uint64_t{30}}) {
    place at;
    at.open();
    at.append(1, 3);
    journal_follower clean = at.follow();
    const taken all = take_all(clean);
    at.exchange(all.positions[2] + offset, std::vector<std::byte>(8));
    journal_follower f = at.follow();
    CHECK(take_all(f).sequences == numbers(1, 2));
    f.prove(clean.position());
    at.now_ns += 100 * second_ns;
    const taken rest = take_all(f);
    REQUIRE(rest.told.size() == 1);
    CHECK(rest.told[0].from == all.positions[2]);
    CHECK(rest.told[0].to == clean.position());
    at.append(4, 4);
    CHECK(take_all(f).sequences == numbers(4, 4));
  }
}

TEST_CASE("follower: rot in a sealed segment is told at once") {
  place at;
  at.open();
  at.append(1, 700);
  journal_follower clean = at.follow();
  const taken all = take_all(clean);
  at.exchange(all.positions[4] + 100, std::vector<std::byte>(4));
  journal_follower f = at.follow();
  const taken found = take_all(f);
  CHECK(found.sequences.size() == 699);
  REQUIRE(found.told.size() == 1);
  CHECK(found.told[0].rot.messages == range{5, 1});
}

TEST_CASE("follower: a trimmed segment is noticed with its positions") {
  place at;
  at.open();
  at.append(1, 100);
  journal_follower f = at.follow();
  CHECK(f.next().what == followed::kind::record);
  at.append(101, 900);
  at.trim_and_append(850, 901, 903);
  const taken found = take_all(f);
  REQUIRE(!found.told.empty());
  CHECK(found.told[0].what == followed::kind::trimmed);
  CHECK(found.told[0].to > found.told[0].from);
  CHECK(found.sequences.back() == 903);
  CHECK(std::is_sorted(found.sequences.begin(), found.sequences.end()));
}

TEST_CASE("follower: what a recovery takes back is told as cut") {
  place at;
  at.open();
  at.append(1, 10);
  journal_follower f = at.follow();
  const taken all = take_all(f);
  REQUIRE(all.sequences == numbers(1, 10));
  at.log.reset();  // as a crash leaves it: the last records were never proven durable
  at.exchange(all.positions[9] + 100, std::vector<std::byte>(64));
  at.open();
  at.append(10, 12);
  const taken more = take_all(f);
  REQUIRE(more.told.size() == 1);
  CHECK(more.told[0].what == followed::kind::cut);
  CHECK(more.told[0].from == all.positions[9]);
  CHECK(more.sequences == numbers(10, 12));
}

TEST_CASE(
    "follower: whatever byte changes, nothing wrong is handed out and what is missing is told") {
  place at;
  at.open();
  for (std::uint64_t i = 1; i <= 60; i += 3) at.append(i, i + 2, 40 + i);
  journal_follower clean = at.follow();
  const taken all = take_all(clean);
  REQUIRE(all.sequences == numbers(1, 60));
  random_source random(5);
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t from = all.positions.front();
    const std::uint64_t where = from + random.below(clean.position() - from);
    const std::size_t size = 1 + random.below(round % 4 == 0 ? 600 : 4);
    const auto whole = at.exchange(where, std::vector<std::byte>(size, std::byte{0x5a}));
    journal_follower f = at.follow();
    f.prove(clean.position());
    const taken found = take_all(f);  // checks every byte of every record
    for (std::size_t i = 0; i < all.positions.size(); ++i) {
      const std::uint64_t position = all.positions[i];
      const bool there = std::count(found.sequences.begin(), found.sequences.end(), i + 1) == 1;
      const bool told = std::any_of(found.told.begin(), found.told.end(), [&](const followed& t) {
        return t.from <= position && position < t.to;
      });
      CHECK_MESSAGE(there != told, "sequence " << i + 1 << ", " << size << " bytes at " << where);
    }
    at.exchange(where, whole);
  }
}

TEST_CASE("reader: where segments are trimmed under it, it goes on into those made since") {
  place at;
  at.open();
  at.append(1, 700);
  auto reader = journal_reader::open(at.path);
  REQUIRE(reader.ok());
  std::vector<std::uint64_t> seen;
  REQUIRE((*reader)
              ->walk(0,
                     [&](const seen_record& one) {
                       if (one.record.head.type != record_type::block) return true;
                       seen.push_back(one.record.head.first_sequence);
                       if (seen.size() == 1) at.trim_and_append(690, 701, 1000);
                       return true;
                     })
              .ok());
  CHECK(seen.front() == 1);
  CHECK(seen.size() < 1000);  // some were not there any more
  CHECK(seen.back() >= 1000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("follower: of nothing") {
  place at;
  CHECK(journal_follower::open(at.path, 0, [] { return instant{}; }).kind() == errc::not_found);
}

}  // namespace
}  // namespace holdfast::testing
