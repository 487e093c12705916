// rig: a journal on a virtual disk with a clock the test moves, and messages whose bytes follow
// from their numbers, so that any wrong byte shows.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <vector>

#include "base/checksum.hpp"
#include "journal/format.hpp"
#include "journal/journal.hpp"
#include "sim/virtual_disk.hpp"

namespace holdfast::testing {

inline std::vector<std::byte> body_of(stream_id stream, std::uint64_t first, std::size_t size) {
  random_source random(first * 1315423911u + stream);
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
  return bytes;
}

inline append_item block_item(stream_id stream, std::uint64_t first, std::uint16_t count,
                              std::size_t size, level need = level::disk) {
  const std::vector<std::byte> body = body_of(stream, first, size);
  append_item item;
  item.head.type = record_type::block;
  item.head.stream = stream;
  item.head.first_sequence = first;
  item.head.count = count;
  item.head.need = need;
  item.head.time_ns = first;
  item.head.body_sum = checksum(body);
  item.body = copy_to_buffer(body);
  return item;
}

inline append_item control_item(record_type type, std::uint64_t number, std::size_t size = 24) {
  append_item item = block_item(0, number, 0, size);
  item.head.type = type;
  return item;
}

/// The block is exactly what block_item(stream, first, ...) made.
inline bool right(const block& b) {
  const std::vector<std::byte> want = body_of(b.stream, b.first, b.body.size());
  return std::equal(want.begin(), want.end(), b.body.bytes().begin(), b.body.bytes().end());
}
inline bool right(const record_view& r) {
  const std::vector<std::byte> want = body_of(r.head.stream, r.head.first_sequence, r.body.size());
  return std::equal(want.begin(), want.end(), r.body.begin(), r.body.end());
}

/// What replay handed out, without bodies (they were checked).
struct replayed {
  record_head head;
  std::uint64_t position = 0;
  std::size_t size = 0;
};

struct rig {
  explicit rig(virtual_disk_options disk_options = {}) : disk(disk_options) {
    options.segment_bytes = 64 << 10;
    options.seed = 7;
    options.boot_id[0] = std::byte{1};
    options.clock = [this] { return instant{now_ns, now_ns + 1'000'000'000'000}; };
  }
  /// Opens and replays; the former journal, if any, is dropped as it is.
  status open() {
    log.reset();
    result<std::unique_ptr<journal>> opened = open_journal(disk.mount(), options, report);
    if (!opened) return opened.take_status();
    log = std::move(opened).value();
    const bytes_view rows = log->checkpoint_rows();
    checkpoint_rows.assign(rows.begin(), rows.end());
    records.clear();
    lost.clear();
    wrong = 0;
    return log->replay([this](std::span<const record_view> batch) {
      for (const record_view& r : batch) {
        if (r.lost) {
          lost.push_back({r.head.first_sequence, r.head.count});
          continue;
        }
        if (!right(r)) ++wrong;
        records.push_back({r.head, r.position, r.body.size()});
      }
    });
  }
  void must_open() {
    const status opened = open();
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    REQUIRE(wrong == 0);
  }
  ticket append(append_item item) { return log->append({&item, 1}); }
  /// Turns until nothing moves.
  marks settle_down() {
    marks at = log->progress();
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t moved = disk.waiting();
      at = log->progress();
      if (moved == 0 && disk.waiting() == 0) break;
    }
    return at;
  }
  void checkpoint(const std::vector<std::byte>& rows) {
    REQUIRE(log->begin_checkpoint());
    log->add_checkpoint_rows(rows);
    log->finish_checkpoint();
    settle_down();
    REQUIRE(!log->checkpoint_running());
  }
  /// All blocks of a stream from `from` on, gaps noted.
  std::vector<block> read_all(stream_id stream, std::uint64_t from,
                              std::vector<range>* gaps = nullptr) {
    std::vector<block> all;
    for (int i = 0; i < 1'000'000; ++i) {
      const fetched got = log->read(stream, from, {1000, 1 << 20}, all);
      if (got.outcome == fetch::end) return all;
      if (got.outcome == fetch::pending) {
        log->progress();
      } else if (got.outcome == fetch::gap) {
        REQUIRE(got.missing.first == from);
        REQUIRE(got.missing.count > 0);
        if (gaps) gaps->push_back(got.missing);
        from = got.missing.end();
      } else {
        from = all.back().first + all.back().count;
      }
    }
    FAIL("reading does not end");
    return all;
  }

  std::uint64_t now_ns = 1'000'000'000;
  virtual_disk disk;
  journal_options options;
  open_report report;
  std::unique_ptr<journal> log;
  std::vector<std::byte> checkpoint_rows;
  std::vector<replayed> records;
  std::vector<range> lost;  ///< messages of damaged blocks, as replay named them
  std::size_t wrong = 0;
};

}  // namespace holdfast::testing
