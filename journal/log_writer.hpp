// log_writer: gives records their places, encodes their headers, and asks the storage to write and
// sync them; turns the results into marks. After a failed write or sync it writes everything that
// was not durable once more, in a fresh segment, under the same tickets.
//
// A file that cannot be made is no such failure: the records wait in memory, and every second
// another file is asked for.
//
// Contract: positions are decided at append; operations complete in order, so a completed sync
// covers every record written before it. A failed sync is never repeated on its file.
#pragma once

#include "journal/header_copies.hpp"
#include "journal/index_run.hpp"
#include "journal/ops_in_flight.hpp"
#include "journal/spare_pool.hpp"
#include "journal/write_builder.hpp"

namespace holdfast {

class log_writer {
 public:
  log_writer(core& shared, spare_pool& spares) : core_(shared), spares_(spares) {}

  /// Begins to write behind `active`, of whose header the first copy is durable.
  void start(segment& active);
  ticket append(std::span<append_item> items);
  /// A record of the journal itself, synced at once.
  void append_own(record_type type, buffer_ref body);
  /// The last record of an orderly stop; all before it is synced.
  void append_closed();
  /// A block that is in the log already, to leave its place there. Synced with what follows; its
  /// position.
  std::uint64_t append_relocated(record_head head, buffer_ref body);
  void on_result(const io_result& done);
  /// What the pool asked of a file in use failed.
  void on_lost_file(const io_result& done);
  /// Why what is appended waits for a file that cannot be made; 0: it does not.
  int waits_for_file() const noexcept { return lost_; }
  /// The result is of something that was given up since.
  bool is_past(const io_result& done) const noexcept {
    return lost_ != 0 || in_flight_.is_past(done.tag);
  }
  /// Interval syncs, process syncs and the idle watermark, by core.now.
  void on_time();
  /// Syncs everything appended, unless that was asked already.
  void sync_all();
  bool all_synced() const noexcept { return core_.synced_position == core_.next_position; }
  std::uint64_t deadline() const noexcept;
  marks now_at() const noexcept;
  std::uint64_t unsynced_bytes() const noexcept { return appended_bytes_ - synced_bytes_; }
  /// Rises when positions given before are no longer where the records are.
  std::uint32_t rewrites() const noexcept { return rewrites_; }

 private:
  log_end everything() const noexcept { return {core_.next_position, appended_bytes_, appended_}; }
  // Places of records and segments (log_writer.cpp).
  void append_batch(std::span<append_item> batch);
  void ensure_space(std::uint64_t total);
  void roll(std::uint64_t size);
  void open_segment(std::uint64_t size, bool previous_durable);
  void put_segment_header();
  record_head own_head(record_type type, bytes_view body) const;
  const placed& place(const record_head& head, buffer_ref&& body, std::uint64_t batch_start,
                      ticket number);
  void put_record(const record_head& head, const buffer_ref& body, std::uint64_t batch_start);
  void close_write();
  // Syncs and what they make durable (log_sync.cpp).
  void note_level(level need) noexcept;
  void push_sync();
  void fill_page();
  void submit();
  void submit_ops();
  void advance(const ops_in_flight::op& op, io_op::kind what);
  void idle();
  // After a failure (log_rewrite.cpp).
  void on_failure(const io_result& done);
  void recover(int error, file_id file);
  void rewrite();
  void abandon();
  void give_back_untouched();
  void place_again();
  void release();

  core& core_;
  spare_pool& spares_;
  std::vector<io_op> ops_;
  ops_in_flight in_flight_;
  header_copies headers_{core_, in_flight_};
  write_builder write_;
  index_run run_{core_.index};
  const buffer_ref zeros_ = copy_to_buffer(std::array<std::byte, file_unit>{});

  ticket appended_ = 0;
  ticket written_ = 0;
  ticket synced_ = 0;
  std::uint64_t appended_bytes_ = 0;
  std::uint64_t synced_bytes_ = 0;
  log_end sync_asked_;
  std::uint64_t sync_due_ = never_ns;
  std::uint64_t watermark_due_ = never_ns;
  bool proven_ = false;  // the last record says that all before it is durable
  bool want_sync_ = false;
  bool rewriting_ = false;
  std::uint64_t rewritten_to_ = 0;
  // While the records are written again, or wait for a file, everything later is held back.
  bool holding_ = false;
  std::uint64_t held_from_ = 0;  // segments from this base on are held as a whole
  std::uint64_t held_for_ = 0;   // tag of the write that is waited for
  log_end held_covers_;
  io_op held_header_;
  std::uint32_t rewrites_ = 0;
  int lost_ = 0;  // why a file in use could not be made
  std::uint64_t ask_again_at_ = 0;
};

}  // namespace holdfast
