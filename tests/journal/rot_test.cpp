// A journal of 64 KiB, damaged in every way that one bit, one sector or one truncation can: what is
// below the watermark is reported with its exact range, above it the log ends cleanly and what was
// readable is reported, all else is delivered as it was, and nothing ever crashes.
//
// Quick: every bit of headers, one bit a byte of bodies; HOLDFAST_LONG: every bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/journal/specimen.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t sector = 512;

bool long_form() {
  return std::getenv("HOLDFAST_LONG") != nullptr;
}

struct trial {
  explicit trial(const specimen& of) : of_(of) {}
  // `bytes` stand at `at` of `file` now.
  void put(const std::string& file, std::uint64_t at, std::span<const std::byte> bytes) {
    const std::vector<std::byte>& clean = content(file);
    std::vector<touched> changes;
    for (std::uint64_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == clean[at + i]) continue;
      if (changes.empty() || changes.back().to != at + i) changes.push_back({file, at + i, at + i});
      ++changes.back().to;
    }
    pending_.push_back({file, at, {bytes.begin(), bytes.end()}});
    changes_.insert(changes_.end(), changes.begin(), changes.end());
  }
  void run(const std::string& what) {
    const auto disk = of_.r.disk.clone(++count);
    for (const change& c : pending_) disk->damage(c.file, c.at, c.bytes);
    const std::string wrong = of_.compare(*disk, of_.after(changes_), count % 16 == 0);
    REQUIRE_MESSAGE(wrong.empty(), what << ": " << wrong);
    pending_.clear();
    changes_.clear();
  }
  const std::vector<std::byte>& content(const std::string& file) {
    auto [it, fresh] = clean_.try_emplace(file);
    if (fresh) it->second = of_.r.disk.content(file);
    return it->second;
  }
  std::uint64_t count = 0;

 private:
  struct change {
    std::string file;
    std::uint64_t at;
    std::vector<std::byte> bytes;
  };
  const specimen& of_;
  std::map<std::string, std::vector<std::byte>> clean_;
  std::vector<change> pending_;
  std::vector<touched> changes_;
};

std::string at_text(const std::string& file, std::uint64_t at) {
  return file + " at " + std::to_string(at);
}

// Headers: of the segment (both copies) and of every record.
bool in_header(const known_segment& s, std::uint64_t at) {
  if (at < records_at) return at % segment_header_copy_at < segment_header_bytes;
  for (const known_record& r : s.records)
    if (at >= r.offset && at < r.offset + r.size) return at < r.offset + record_header_bytes;
  return false;
}

TEST_CASE("the specimen is what it should be") {
  const specimen s;
  REQUIRE(s.segments.size() == 4);
  const expectation all = s.after({});
  CHECK(all.damaged.empty());
  CHECK(all.cut == s.end);
  CHECK(all.replayed.size() > 50);
  const auto disk = s.r.disk.clone(1);
  CHECK(s.compare(*disk, all, true) == "");
}

// `step`: of bodies, one byte in so many.
std::uint64_t flip_bits(const specimen& s, std::uint64_t step) {
  trial t(s);
  for (const known_segment& in : s.segments) {
    const std::vector<std::byte>& clean = t.content(in.file);
    for (std::uint64_t at = 0; at < clean.size(); ++at) {
      const bool unused = at < records_at ? !in_header(in, at) : at >= in.end - in.header.base;
      // Unused bytes mean nothing; a few must do.
      if (unused && !long_form() && at % 61 != 0) continue;
      const bool every = long_form() || in_header(in, at);
      if (!every && at % step != 0) continue;
      for (unsigned bit = every ? 0 : at % 8; bit < 8; ++bit) {
        const std::byte flipped[1] = {clean[at] ^ static_cast<std::byte>(1u << bit)};
        t.put(in.file, at, flipped);
        t.run(at_text(in.file, at) + " bit " + std::to_string(bit));
        if (!every) break;
      }
    }
  }
  return t.count;
}

TEST_CASE("every flipped bit") {
  const std::uint64_t count = flip_bits(specimen(), 1);
  std::printf("%lu images with a flipped bit\n", count);
  CHECK(count > 60'000);
}

TEST_CASE("every flipped bit where files are used again") {
  const specimen worn(true);
  REQUIRE(worn.segments.size() == 4);
  std::size_t reused = 0;
  for (const known_segment& in : worn.segments) reused += in.header.reused ? 1 : 0;
  REQUIRE(reused >= 2);
  const auto disk = worn.r.disk.clone(1);
  REQUIRE(worn.compare(*disk, worn.after({}), true) == "");
  const std::uint64_t count = flip_bits(worn, 8);
  std::printf("%lu images with a flipped bit, files used again\n", count);
}

void wrong_sectors(const specimen& s) {
  trial t(s);
  struct place {
    std::string file;
    std::uint64_t at;
  };
  std::vector<place> all;
  for (const known_segment& in : s.segments)
    for (std::uint64_t at = 0; at < in.header.size; at += sector) all.push_back({in.file, at});
  const auto bytes = [&](const place& p) {
    return std::span(t.content(p.file)).subspan(p.at, sector);
  };
  const std::vector<std::byte> zero(sector);
  for (const place& p : all) {
    t.put(p.file, p.at, zero);
    t.run("zeroed: " + at_text(p.file, p.at));
  }
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      // Across files a part of the pairs stands for all.
      if (a == b || (!long_form() && all[a].file != all[b].file && (a * 31 + b) % 7 != 0)) continue;
      t.put(all[b].file, all[b].at, bytes(all[a]));
      t.run("copied: " + at_text(all[a].file, all[a].at) + " to " +
            at_text(all[b].file, all[b].at));
      if (a > b) continue;
      t.put(all[b].file, all[b].at, bytes(all[a]));
      t.put(all[a].file, all[a].at, bytes(all[b]));
      t.run("swapped: " + at_text(all[a].file, all[a].at) + " with " +
            at_text(all[b].file, all[b].at));
    }
  }
  std::printf("%lu images with wrong sectors\n", t.count);
}

TEST_CASE("every zeroed sector, and every two swapped or one copied over the other") {
  wrong_sectors(specimen());
  wrong_sectors(specimen(true));
}

// The file is shorter than its header page: as if it was not there.
expectation without_segment(const specimen& s, std::size_t lost) {
  const known_segment& gone = s.segments[lost];
  const bool last = lost + 1 == s.segments.size();
  std::vector<touched> changes;
  if (last)  // then nothing tells that it ever was, but the file itself
    changes.push_back({gone.file, 0, gone.header.size});
  expectation want = s.after(changes);
  std::erase_if(want.replayed, [&](std::uint64_t at) {
    return at >= gone.header.base && at < gone.header.base + gone.header.size;
  });
  if (last) {
    want = expectation{want.replayed, {}, s.segments[lost - 1].end, 0};
  } else {
    want.damaged.push_back(
        {damage_kind::segment, gone.header.base, gone.end - gone.header.base, no_stream, {}});
  }
  return want;
}

TEST_CASE("every length a file can be cut to") {
  const specimen s;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < s.segments.size(); ++i) {
    const known_segment& in = s.segments[i];
    const std::uint64_t size = in.header.size;
    for (std::uint64_t length = 0; length < size; ++length) {
      bool edge = length % 16 == 0 || length + 1 == size;
      for (const known_record& r : in.records)
        for (const std::uint64_t at : {r.offset, r.offset + record_header_bytes, r.offset + r.size})
          edge = edge || length + 1 == at || length == at + 1;
      if (!edge && !long_form()) continue;
      const auto disk = s.r.disk.clone(++count);
      disk->truncate(in.file, length);
      const bool lost = length < records_at + record_header_bytes;
      const expectation want = lost ? without_segment(s, i) : s.after({{in.file, length, size}});
      const std::string wrong = s.compare(*disk, want, count % 8 == 0);
      REQUIRE_MESSAGE(wrong.empty(), in.file << " cut to " << length << ": " << wrong);
    }
  }
  std::printf("%lu images with a file cut short\n", count);
}

TEST_CASE("a large segment cut short is opened at once") {
  rig r;
  r.options.segment_bytes = 64 << 20;
  r.options.reserve_segments = 0;
  r.must_open();
  for (std::uint64_t i = 1; i <= 1000; ++i) r.append(block_item(1, i, 1, 20'000));
  r.settle_down();
  r.must_open();
  r.log.reset();
  r.disk.truncate("seg/000000.seg", 5 << 20);
  const instant before = system_now();
  r.must_open();
  const std::uint64_t took = monotonic_now() - before.now_ns;
  CHECK(r.records.size() > 200);
  CHECK(r.report.damaged.size() == 2);  // the record that was cut, and all behind it
  CHECK(took < 5 * second_ns);
}

}  // namespace
}  // namespace holdfast::testing
