// model: a random writer over a journal and what must be true of any crash image. It remembers
// every record submitted and what was accepted at which level; check() compares with what opening
// finds.
//
// The claim: what is recovered is, in order and to the byte, a prefix of what was submitted; it
// holds everything accepted at the level the crash respects; and it ends between batches.
#pragma once

#include <string>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {

struct entry {
  record_type type{};
  level need{};
  std::uint8_t flags = 0;
  stream_id stream = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const entry&, const entry&) = default;
};

class model {
 public:
  model(std::uint64_t seed, bool sync_lies, bool faults) : random(seed), r(disk_with(seed)) {
    r.disk.set_sync_lies(sync_lies);
    r.options.segment_bytes = (16ull << 10) << random.below(3);
    r.options.tail_bytes = random.below(3) * 20'000;
    r.options.checkpoint_bytes = 40'000;
    r.options.interval_ms = 2;
    r.options.process_sync_ns = 5 * ms_ns;
    faults_ = faults;
  }

  /// Empty if all is well.
  std::string open_and_check(crash_mode after) {
    r.disk.set_auto_complete(true);
    const status opened = r.open();
    if (!opened.ok()) return "open: " + std::string(opened.text());
    return check(after);
  }
  void work(int steps) {
    r.disk.set_auto_complete(false);
    for (int i = 0; i < steps; ++i) step();
  }
  /// Opening is cut short at a random operation.
  void crash_in_recovery(crash_mode mode) {
    r.disk.set_auto_complete(true);
    const std::uint64_t nth = 1 + random.below(3);
    switch (random.below(3)) {
      case 0: r.disk.fail_create(1, 5); break;
      case 1: r.disk.fail_write(1, 5); break;
      default: mode == crash_mode::power ? r.disk.fail_sync(nth, 5) : r.disk.fail_write(1, 5);
    }
    const status opened = r.open();
    r.disk.crash(mode);
    if (opened.ok()) accept_nothing();
  }
  void crash(crash_mode mode) { r.disk.crash(mode); }

  random_source random;
  rig r;

 private:
  static virtual_disk_options disk_with(std::uint64_t seed) {
    virtual_disk_options options;
    options.seed = seed * 77 + 5;
    return options;
  }

  void accept_nothing() {}

  void step() {
    const std::uint64_t what = random.below(100);
    if (what < 45) append_some();
    if (what >= 45 && what < 48) acknowledge();
    if (what >= 48 && what < 50) move_checkpoint();
    if (what >= 50 && what < 80) r.disk.step(random.below(6));
    if (what >= 80 && what < 85) r.now_ns += random.below(3'000'000);
    if (what == 99 && faults_ && r.log->progress().failure == nullptr)
      random.chance(50) ? r.disk.fail_sync(1 + random.below(3), 5)
                        : r.disk.fail_write(1 + random.below(3), 5);
    take_marks();
  }

  std::size_t random_size() {
    if (random.chance(2)) return r.options.segment_bytes / 3 + random.below(20'000);
    return random.chance(70) ? random.below(300) : random.below(r.options.segment_bytes / 5);
  }

  void append_some() {
    std::vector<append_item> items;
    const std::uint64_t count = random.chance(30) ? 1 + random.below(5) : 1;
    const bool batch = random.chance(50);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto stream = static_cast<stream_id>(1 + random.below(3));
      const auto messages = static_cast<std::uint16_t>(1 + random.below(4));
      const auto need = static_cast<level>(1 + random.below(3));
      items.push_back(block_item(stream, next_[stream] + 1, messages, random_size(), need));
      next_[stream] += messages;
      if (batch && count > 1)
        items.back().head.flags = i + 1 < count ? record_flag::batch_more : record_flag::batch_end;
    }
    submit(items);
  }
  // The same as a cursor that moved: everything of the stream below is finished once durable.
  void acknowledge() {
    const auto stream = static_cast<stream_id>(1 + random.below(3));
    if (next_[stream] == 0) return;
    const std::uint64_t to = 1 + random.below(next_[stream] + 1);
    append_item item = block_item(stream, to, 0, 40, level::disk);
    item.head.type = record_type::group_ack;
    submit({&item, 1});
    waiting_acks_.push_back({submitted_.size(), stream, to});
  }
  void submit(std::span<append_item> items) {
    for (const append_item& item : items)
      submitted_.push_back({item.head.type, item.head.need, item.head.flags, item.head.stream,
                            item.head.first_sequence, item.head.count});
    r.log->append(items);
  }
  void move_checkpoint() {
    if (!r.log->checkpoint_running()) {
      rows_.assign(reinterpret_cast<const std::byte*>(submitted_.data()),
                   reinterpret_cast<const std::byte*>(submitted_.data() + submitted_.size()));
      if (r.log->begin_checkpoint()) rows_given_ = 0;
      return;
    }
    const std::size_t part = std::min(rows_.size() - rows_given_, rows_.size() / 2 + 1);
    r.log->add_checkpoint_rows(std::span(rows_).subspan(rows_given_, part));
    rows_given_ += part;
    if (rows_given_ == rows_.size()) r.log->finish_checkpoint();
  }
  void take_marks() {
    const marks at = r.log->progress();
    written_ = base_ + at.written;
    synced_ = base_ + at.synced;
    for (const ack& a : waiting_acks_)
      if (a.index <= synced_) r.log->trim(a.stream, a.to);
    std::erase_if(waiting_acks_, [this](const ack& a) { return a.index <= synced_; });
  }

  std::string check(crash_mode after) {
    if (r.wrong != 0) return "wrong bytes in replay";
    std::vector<entry> got(r.checkpoint_rows.size() / sizeof(entry));
    if (!got.empty()) std::memcpy(got.data(), r.checkpoint_rows.data(), got.size() * sizeof(entry));
    for (const replayed& x : r.records)
      got.push_back({x.head.type, x.head.need, x.head.flags, x.head.stream, x.head.first_sequence,
                     x.head.count});
    const std::size_t must = after == crash_mode::power ? synced_ : written_;
    if (got.size() < must)
      return "accepted " + std::to_string(must) + ", recovered " + std::to_string(got.size());
    if (got.size() > submitted_.size()) return "more recovered than submitted";
    const auto differs = std::mismatch(got.begin(), got.end(), submitted_.begin()).first;
    if (differs != got.end())
      return "record " + std::to_string(differs - got.begin()) + " of " +
             std::to_string(got.size()) + " is not what was submitted; rows " +
             std::to_string(r.checkpoint_rows.size() / sizeof(entry)) + ", accepted " +
             std::to_string(must);
    if (!got.empty() && (got.back().flags & record_flag::batch_more) != 0)
      return "half a batch recovered";
    if (!r.report.damaged.empty()) {
      const damage& d = r.report.damaged[0];
      return "damage reported where there is none: kind " + std::to_string(int(d.what)) + " at " +
             std::to_string(d.position) + " size " + std::to_string(d.size) + ", tail " +
             std::to_string(r.report.tail) + ", watermark " + std::to_string(r.report.watermark) +
             ", checkpoint " + std::to_string(r.report.checkpoint);
    }
    submitted_ = got;
    base_ = written_ = synced_ = got.size();
    return check_live();
  }

  // Floors from the acks, then every live message is there to read.
  std::string check_live() {
    std::map<stream_id, std::uint64_t> floor;
    next_.clear();
    waiting_acks_.clear();
    for (const entry& e : submitted_) {
      if (e.type == record_type::group_ack)
        floor[e.stream] = std::max(floor[e.stream], e.first);
      else
        next_[e.stream] = e.first + e.count - 1;
    }
    for (const auto& [stream, last] : next_) {
      r.log->trim(stream, floor[stream]);
      std::uint64_t want = std::max<std::uint64_t>(floor[stream], 1);
      for (const block& b : r.read_all(stream, want)) {
        if (!right(b)) return "wrong bytes read";
        if (b.first > want) return "a gap before " + std::to_string(b.first);
        want = b.first + b.count;
      }
      if (want != last + 1 && want <= last) return "the end of a stream cannot be read";
    }
    return {};
  }

  struct ack {
    std::size_t index = 0;
    stream_id stream = 0;
    std::uint64_t to = 0;
  };
  bool faults_ = false;
  std::vector<entry> submitted_;
  std::vector<std::byte> rows_;
  std::size_t rows_given_ = 0;
  std::size_t base_ = 0, written_ = 0, synced_ = 0;
  std::map<stream_id, std::uint64_t> next_;
  std::vector<ack> waiting_acks_;
};

}  // namespace holdfast::testing
