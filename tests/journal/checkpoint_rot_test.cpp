// Checkpoints damaged in every way that one bit, one sector or one truncation can: the older one
// takes over, nothing is lost, wrong rows are never handed out; and rot in what lies below a
// checkpoint.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "journal/checkpoint_file.hpp"
#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t sector = 512;

bool long_form() {
  return std::getenv("HOLDFAST_LONG") != nullptr;
}

// Two checkpoints in force, and records before, between and behind them.
struct checkpointed {
  checkpointed() {
    r.options.segment_bytes = 16 << 10;
    r.options.reserve_segments = 0;
    r.options.clock = [] { return instant{1, 1}; };
    r.must_open();
    for (int part = 0; part < 3; ++part) {
      for (int i = 0; i < 16; ++i) add();
      r.settle_down();
      if (part < 2) r.checkpoint(rows[part] = body_of(7, last, 900 + last));
    }
    r.log.reset();
    for (const std::string& name : r.disk.names())
      if (name.starts_with("checkpoint.0")) files.push_back(name);
  }
  void add() {
    ++last;
    r.append(block_item(1, last, 1, 100 + last * 17));
  }
  rig r;
  std::uint64_t last = 0;
  std::vector<std::byte> rows[2];
  std::vector<std::string> files;  // older, newer
};

// All messages are there, whichever checkpoint is used; `newest` says which it has to be.
std::string open_checkpointed(const checkpointed& c, virtual_disk& disk, bool newest) {
  open_report report;
  auto log = open_journal(disk.mount(), c.r.options, report);
  if (!log) return "open: " + std::string(log.text());
  const bytes_view rows = (*log)->checkpoint_rows();
  const auto& want = c.rows[newest ? 1 : 0];
  if (!std::equal(rows.begin(), rows.end(), want.begin(), want.end())) return "wrong rows";
  if (report.checkpoint_damaged == newest) return "the damage is not reported";
  std::uint64_t next = newest ? 33 : 17;
  bool exact = true;
  (void)(*log)->replay([&](std::span<const record_view> batch) {
    for (const record_view& v : batch) exact = exact && right(v) && v.head.first_sequence == next++;
  });
  if (!exact || next != c.last + 1) return "replay went wrong at " + std::to_string(next);
  std::vector<block> blocks;
  for (int i = 0; i < 1000 && blocks.size() < c.last; ++i)
    if ((*log)->read(1, blocks.size() + 1, {8, 1 << 20}, blocks).outcome == fetch::pending)
      (*log)->progress();
  for (const block& b : blocks)
    if (!right(b)) return "wrong bytes read";
  return blocks.size() == c.last ? "" : "not all can be read";
}

// Zero padding behind a chunk is under no sum: it means nothing.
std::vector<bool> meaningful(const std::vector<std::byte>& file) {
  std::vector<bool> means(file.size(), false);
  std::fill_n(means.begin(), checkpoint_header_bytes, true);
  for (std::uint64_t at = checkpoint_header_bytes; at + chunk_header_bytes <= file.size();) {
    const std::uint64_t size = load<std::uint32_t>(&file[at + 12]);
    std::fill_n(means.begin() + static_cast<std::ptrdiff_t>(at), chunk_header_bytes + size, true);
    if (load<std::uint32_t>(&file[at + 8]) == static_cast<std::uint32_t>(chunk_kind::end)) break;
    at += align_up(chunk_header_bytes + size, record_unit);
  }
  return means;
}

TEST_CASE("every bit, sector and length of a checkpoint") {
  const checkpointed c;
  REQUIRE(c.files.size() == 2);
  std::uint64_t count = 0;
  for (const bool newer : {false, true}) {
    const std::string& file = c.files[newer ? 1 : 0];
    const std::vector<std::byte> clean = c.r.disk.content(file);
    const std::vector<bool> means = meaningful(clean);
    const auto used =
        static_cast<std::uint64_t>(means.rend() - std::find(means.rbegin(), means.rend(), true));
    const auto run = [&](const std::vector<std::byte>& now, std::uint64_t size,
                         const std::string& what) {
      bool harmed = size < used;
      for (std::uint64_t i = 0; i < size; ++i) harmed = harmed || (means[i] && now[i] != clean[i]);
      const auto disk = c.r.disk.clone(++count);
      disk->damage(file, 0, std::span(now).first(size));
      disk->truncate(file, size);
      const std::string wrong = open_checkpointed(c, *disk, !newer || !harmed);
      REQUIRE_MESSAGE(wrong.empty(), file << ", " << what << ": " << wrong);
    };
    for (std::uint64_t at = 0; at < used + 64; ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (!long_form() && at > 512 && bit != at % 8) continue;
        std::vector<std::byte> now = clean;
        now[at] ^= static_cast<std::byte>(1u << bit);
        run(now, now.size(), "bit " + std::to_string(bit) + " of byte " + std::to_string(at));
      }
      if (at % (long_form() ? 1 : 8) == 0) run(clean, at, "cut to " + std::to_string(at));
    }
    for (std::uint64_t a = 0; a < used; a += sector) {
      for (std::uint64_t b = 0; b < used; b += sector) {
        std::vector<std::byte> now = clean;
        if (a == b)
          std::fill_n(&now[a], sector, std::byte{0});
        else
          std::copy_n(&clean[a], sector, &now[b]);
        run(now, now.size(), "sector " + std::to_string(b) + " overwritten");
        if (a >= b) continue;
        std::copy_n(&clean[b], sector, &now[a]);
        run(now, now.size(), "sectors swapped");
      }
    }
  }
  std::printf("%lu images with a damaged checkpoint\n", count);
}

// A held message, and others that came and went until files of segments were used again.
struct gone_round {
  gone_round() {
    r.options.segment_bytes = 16 << 10;
    r.must_open();
    r.append(block_item(2, 1, 1, 100));
    for (std::uint64_t i = 1; i <= 200; ++i) {
      r.append(block_item(1, i, 1, 1000));
      r.settle_down();
      r.log->trim(1, i);
      if (i % 20 == 0) r.checkpoint(body_of(7, i, 50));
    }
    REQUIRE(r.log->stats().recycled != 0);
    r.log.reset();
    for (const std::string& name : r.disk.names())
      if (name.starts_with("checkpoint.0")) files.push_back(name);
    REQUIRE(files.size() == 2);
  }
  std::map<std::string, std::vector<std::byte>> contents() const {
    std::map<std::string, std::vector<std::byte>> all;
    for (const std::string& name : r.disk.names()) all[name] = r.disk.content(name);
    return all;
  }
  rig r;
  std::vector<std::string> files;
};

TEST_CASE("a log whose beginning is gone is not opened without a checkpoint, and nothing changes") {
  gone_round j;
  const std::byte bad[1] = {std::byte{0x55}};
  const std::byte good[1] = {j.r.disk.content(j.files[0])[100]};
  for (const std::string& file : j.files) j.r.disk.damage(file, 100, bad);
  const auto before = j.contents();
  const status opened = j.r.open();
  CHECK(opened.kind() == errc::corrupt);
  CHECK(std::string(opened.text()).find("no checkpoint can be read") != std::string::npos);
  CHECK(j.contents() == before);
  j.r.disk.damage(j.files[0], 100, good);
  j.r.must_open();
  CHECK(j.r.read_all(2, 1).size() == 1);
}

// Replay does not come by what lies below the checkpoint: reading does.
TEST_CASE("rot below the checkpoint is an exact gap for who reads there") {
  const checkpointed c;
  const std::vector<std::byte> bytes = c.r.disk.content("seg/000000.seg");
  std::uint64_t offset = records_at + record_size(gap_body_bytes);
  std::uint64_t count = 0;
  for (std::uint64_t sequence = 1; offset + record_size(100 + sequence * 17) < 16 << 10;
       ++sequence) {
    const std::uint64_t body = 100 + sequence * 17;
    for (std::uint64_t at = 0; at < record_header_bytes + body; at += at < 64 ? 1 : 8) {
      const auto disk = c.r.disk.clone(++count);
      const std::byte flipped[1] = {bytes[offset + at] ^ static_cast<std::byte>(1u << at % 8)};
      disk->damage("seg/000000.seg", offset + at, flipped);
      open_report report;
      auto log = open_journal(disk->mount(), c.r.options, report);
      REQUIRE(log.ok());
      REQUIRE((*log)->replay([](std::span<const record_view>) {}).ok());
      std::vector<block> got;
      std::vector<range> gaps;
      for (std::uint64_t from = 1; from <= c.last;) {
        const fetched f = (*log)->read(1, from, {1000, 1 << 20}, got);
        if (f.outcome == fetch::pending) (*log)->progress();
        if (f.outcome == fetch::gap) gaps.push_back(f.missing);
        if (f.outcome == fetch::gap) from = f.missing.end();
        if (f.outcome == fetch::ok) from = got.back().first + 1;
        REQUIRE(f.outcome != fetch::end);
      }
      REQUIRE(got.size() == c.last - 1);
      for (const block& b : got) REQUIRE(right(b));
      REQUIRE(gaps == std::vector<range>{{sequence, 1}});
    }
    offset += record_size(body);
  }
  std::printf("%lu images with rot below the checkpoint\n", count);
}

}  // namespace
}  // namespace holdfast::testing
