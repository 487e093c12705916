// backlog_reader: reads blocks back from segments: finds the place by the index, asks the storage
// to load windows of 1 MiB, and hands out views of verified records.
//
// Contract: never touches bytes that were not loaded. Memory: 40 B a window, at most 64 of them;
// what a window holds belongs to the storage (a map in production). A window that somebody waits
// for stays until he has read it, so that however many read, each gets on.
#pragma once

#include "journal/core.hpp"

namespace holdfast {

class backlog_reader {
 public:
  explicit backlog_reader(core& shared) : core_(shared) {}

  /// Adds blocks that begin at or contain `from`, up to the last message of the index row, stopping
  /// before `until` (the first sequence that memory has). `taken` counts what was added.
  struct request {
    stream_id stream = no_stream;
    std::uint64_t from = 0;
    std::uint64_t until = 0;
    read_limits limits;
  };
  fetched read(const request& what, std::vector<block>& out);
  void on_result(const io_result& done);
  void begin_turn() noexcept;
  /// Asks again for what could not be loaded for want of descriptors.
  void on_time();
  /// At once if somebody found no window free and no load is on its way, whose end would wake him.
  std::uint64_t deadline() const noexcept;
  /// The segment at `base` is gone.
  void forget(std::uint64_t base);

  enum class seen : std::uint8_t { good, pending, corrupt_body, corrupt_header, unreadable };
  struct look {
    seen what = seen::pending;
    record_header header;
    buffer_ref record;  // header and body
  };
  /// What is at `position`. Bodies are read and verified only for blocks of `wanted` that end
  /// behind `from`.
  look look_at(const segment& in, std::uint64_t position, stream_id wanted, std::uint64_t from = 0);

 private:
  struct window {
    std::uint64_t segment = 0;  // base
    std::uint64_t from = 0;     // position
    std::uint64_t size = 0;
    std::uint64_t tag = 0;
    std::uint64_t used = 0;
    std::uint64_t asked_in = 0;  // turn in which somebody looked last
    buffer_ref bytes;
    bool loading = false;
    bool read = false;
    bool put_off = false;  // could not be loaded now
    bool bad = false;
  };
  window* find(const segment& in, std::uint64_t position, std::uint64_t size);
  window* load(const segment& in, std::uint64_t position, std::uint64_t size);
  window* find_or_load(const segment& in, std::uint64_t position, std::uint64_t size);
  window* free_window();
  void ask(const window& what, const segment& in);
  enum class sighting : std::uint8_t { before, unknown, pending };
  std::uint64_t start_position(const segment& in, const stream_rows& of, const index_row& row,
                               std::uint64_t from);
  sighting first_of(const segment& in, std::uint64_t position, const index_row& row,
                    const stream_rows& of, std::uint64_t from);
  fetched read_row(const request& what, stream_rows& of, const index_row& row, std::uint64_t at,
                   std::vector<block>& out);
  /// Next place at or behind `position` where a record header is right; the segment's end if none;
  /// 0 while loading.
  std::uint64_t resync(const segment& in, std::uint64_t position);

  core& core_;
  std::vector<window> windows_;
  std::uint64_t next_tag_ = 1;
  std::uint64_t clock_ = 0;
  std::uint64_t turn_ = 0;
  bool turned_away_ = false;
  std::uint64_t again_at_ = never_ns;
};

}  // namespace holdfast
