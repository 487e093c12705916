// fake_log: a log in memory that makes records durable when it is told to, and loses the rest when
// it crashes. Small: one device, no trimming.
#pragma once

#include <algorithm>
#include <vector>

#include "base/log.hpp"

namespace holdfast {

class fake_log {
 public:
  struct entry {
    record_head head;
    buffer_ref body;
    std::uint64_t position = 0;
  };

  ticket append(std::span<append_item> items) {
    for (append_item& item : items) {
      records_.push_back({item.head, std::move(item.body), next_position_});
      next_position_ += 64 + records_.back().body.size();
    }
    return appended();
  }
  ticket appended() const { return records_.size() - before_; }
  /// The next `count` records are written, or also synced.
  void write(std::size_t count = ~std::size_t{0}) {
    written_ = std::min(written_ + std::min(count, records_.size()), records_.size());
  }
  void sync(std::size_t count = ~std::size_t{0}) {
    synced_ = std::min(synced_ + std::min(count, records_.size()), records_.size());
    written_ = std::max(written_, synced_);
  }
  marks progress() const {
    marks m;
    m.appended = appended();
    m.written = written_ - before_;
    m.synced = synced_ - before_;
    return m;
  }
  /// Power is lost: what was not synced is gone. Tickets start again.
  void crash() {
    records_.resize(synced_);
    written_ = before_ = synced_;
  }
  std::uint64_t next_position() const { return next_position_; }
  const std::vector<entry>& records() const { return records_; }
  std::size_t unsynced() const { return records_.size() - synced_; }

  /// Its position; 0 if there is none.
  std::uint64_t last_block() const {
    std::uint64_t at = 0;
    for (const entry& e : records_)
      if (e.head.type == record_type::block) at = e.position;
    return at;
  }
  /// The block of `stream` that holds `sequence`; null if there is none.
  const entry* find(stream_id stream, std::uint64_t sequence) const {
    for (const entry& e : records_)
      if (e.head.type == record_type::block && e.head.stream == stream &&
          e.head.first_sequence <= sequence && sequence < e.head.first_sequence + e.head.count)
        return &e;
    return nullptr;
  }

 private:
  std::vector<entry> records_;
  std::size_t written_ = 0, synced_ = 0, before_ = 0;
  std::uint64_t next_position_ = 4096;
};

}  // namespace holdfast
