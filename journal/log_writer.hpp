// log_writer: gives records their places, encodes their headers, and asks the storage to write and
// sync them; turns the results into marks. After a failed write or sync it writes everything that
// was not durable once more, in a fresh segment, under the same tickets.
//
// A segment's header is written twice, the second copy once the first is durable: of the two, one
// is whole at any moment, that of the former use of the file or that of now.
//
// A file that cannot be made is no such failure: the records wait in memory, and every second
// another file is asked for.
//
// Contract: positions are decided at append; operations complete in order, so a completed sync
// covers every record written before it. A failed sync is never repeated on its file.
#pragma once

#include <deque>

#include "journal/chunk_queue.hpp"
#include "journal/slab_pool.hpp"
#include "journal/spare_pool.hpp"

namespace holdfast {

class log_writer {
 public:
  log_writer(core& shared, spare_pool& spares) : core_(shared), spares_(spares) {}

  /// Begins to write behind `active`, of whose header the first copy is durable.
  void start(segment& active);
  ticket append(std::span<append_item> items);
  /// A record of the journal itself, synced at once.
  void append_own(record_head head, buffer_ref body);
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
    return lost_ != 0 || number_of(done.tag) < first_asked_;
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
  struct covered {  // what is done once an operation is
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    ticket number = 0;
  };
  struct asked {
    covered covers;
    std::uint64_t header_of = 0;  // base of the segment whose header's second copy it is for
    bool completes = false;       // that header
    bool done = false;
  };

  struct unsealed {  // a header whose sum is still to be made
    std::byte* header = nullptr;
    std::uint64_t position = 0;
  };
  struct unindexed {  // blocks of one stream that follow one another in one segment
    stream_id stream = no_stream;
    range messages;
    block_index::place at;
  };

  covered everything() const noexcept { return {core_.next_position, appended_bytes_, appended_}; }
  void ensure_space(std::uint64_t total);
  void roll(std::uint64_t size);
  void open_segment(std::uint64_t size, bool previous_durable);
  void put_segment_header();
  void complete_headers(std::uint64_t synced);
  void complete_header(segment& of);
  void note_header(std::uint64_t base);
  void begin_write(std::uint64_t offset);
  const placed& place(const record_head& head, buffer_ref&& body, std::uint64_t batch_start,
                      ticket number);
  void index_later(const placed& record);
  void index_run();
  void index_block(const placed& record);
  std::uint64_t encode(const record_head& head, const buffer_ref& body, std::uint64_t batch_start);
  void seal_headers();
  void put_piece(const buffer_ref& body, std::size_t padding);
  std::byte* slab_room(std::size_t size);
  void fresh_slab();
  void close_piece();
  void close_write();
  void push_sync();
  void fill_page();
  void submit();
  void note_level(level need) noexcept;
  void advance(const asked& op, io_op::kind what);
  void drop_done();
  // After a failure (log_rewrite.cpp).
  void on_failure(const asked& op, const io_result& done);
  void recover(int error, file_id file);
  void rewrite();
  void abandon();
  void give_back_untouched();
  void place_again();
  void release();

  core& core_;
  spare_pool& spares_;
  std::vector<io_op> ops_;
  chunk_queue<asked> asked_;
  std::uint64_t first_asked_ = 1;           // number of asked_.front()
  std::deque<std::uint64_t> half_headers_;  // bases of segments with one copy of their header
  bool header_unsynced_ = false;            // a second copy was written into the active segment
  io_op write_;                             // being put together
  std::size_t pieces_before_ = 0;           // pieces of the write before it: what it may need
  std::vector<unsealed> unsealed_;          // headers of that write
  const buffer_ref zeros_ = copy_to_buffer(std::array<std::byte, file_unit>{});
  slab_pool slabs_;
  std::byte* slab_ = nullptr;  // the last of them; a piece of it is open from slab_from_
  std::size_t slab_from_ = 0;
  std::size_t slab_used_ = 0;

  unindexed run_;
  ticket appended_ = 0;
  ticket written_ = 0;
  ticket synced_ = 0;
  std::uint64_t appended_bytes_ = 0;
  std::uint64_t synced_bytes_ = 0;
  covered sync_asked_;
  std::uint64_t sync_due_ = never_ns;
  std::uint64_t watermark_due_ = never_ns;
  bool proven_ = false;  // the last record says that all before it is durable
  bool want_sync_ = false;
  bool rewriting_ = false;
  std::uint64_t rewritten_to_ = 0;
  // While the records are written again, or wait for a file, everything later is held back.
  bool holding_ = false;
  std::uint64_t held_from_ = 0;  // segments from this base on are held as a whole
  std::uint64_t held_for_ = 0;   // the write that is waited for
  covered held_covers_;
  io_op held_header_;
  std::uint32_t rewrites_ = 0;
  int lost_ = 0;  // why a file in use could not be made
  std::uint64_t ask_again_at_ = 0;
};

}  // namespace holdfast
