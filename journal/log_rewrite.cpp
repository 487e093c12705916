// The log's writer: a write or sync failed, or a file could not be made, and what was not durable
// is written again elsewhere.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "journal/log_writer.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t ask_again_ns = second_ns;

}  // namespace

// A sealed segment whose second copy of the header fails has its records all the same: it stays
// with one copy. Whatever else fails is a failure of the log.
void log_writer::on_failure(const io_result& done) {
  for (const auto& s : core_.segments.all())
    if (s->file == done.file) s->unsound = true;
  const std::uint64_t header_of = in_flight_.at(done.tag).header_of;
  segment* of = header_of != 0 ? core_.segments.find(header_of) : nullptr;
  if (!of || of == core_.active || of->end > core_.synced_position)
    return recover(done.error, done.file);
  of->header_asked = false;
  in_flight_.finish(done.tag);
}

// A write or sync failed. What was not durable goes to a fresh segment, once; if that fails as
// well, the journal takes nothing more.
void log_writer::recover(int error, file_id file) {
  if (core_.failed) return;
  if (rewriting_) {
    core_.failed = true;
    core_.failure = {errc::io,
                     "the journal cannot write any more: " + core_.name_of(file) + ": " +
                         std::strerror(error) +
                         ", and writing what was not durable to another segment failed too; "
                         "free or replace the disk and start the device again"};
    return;
  }
  rewriting_ = true;
  rewrite();
}

// Nothing was written to it, so the log is as good as before: its records stay in memory until a
// file can be made.
void log_writer::on_lost_file(const io_result& done) {
  if (core_.failed || lost_ != 0) return;
  if (done.what == io_op::kind::write) return recover(done.error, done.file);
  for (const auto& s : core_.segments.all())
    if (s->file == done.file) s->file = 0;
  lost_ = done.error;
  ask_again_at_ = core_.now.now_ns + ask_again_ns;
  if (!holding_) held_from_ = core_.segments.next_base();
  holding_ = true;
}

void log_writer::rewrite() {
  ++rewrites_;
  abandon();
  place_again();
}

void log_writer::abandon() {
  in_flight_.give_up();
  write_.drop();
  ops_.clear();
  if (holding_) give_back_untouched();
  holding_ = false;
  lost_ = 0;
  segment* kept = core_.segments.find(core_.synced_position - 1);
  check(kept != nullptr, "the durable end lies in a segment");
  for (const auto& s : core_.segments.all())
    if (s->base() > kept->base()) s->in_log = false;
  kept->end = core_.synced_position;
  core_.active = kept;
  headers_.restart(*kept);
}

// Segments begun while operations were held: nothing was asked of their files.
void log_writer::give_back_untouched() {
  std::vector<std::uint64_t> bases;
  for (const auto& s : core_.segments.all())
    if (s->base() >= held_from_) bases.push_back(s->base());
  for (const std::uint64_t base : bases) {
    spares_.give_back(*core_.segments.find(base));
    core_.segments.remove(base);
  }
}

// All of it goes into one segment, and the segment's header only once the records are written:
// before that the log still ends in the old place, where what was only written can be found after a
// crash of the process. Later operations wait for the header.
void log_writer::place_again() {
  tail_cache& tail = core_.tail;
  const std::uint64_t from = tail.lower_bound(core_.synced_position);
  std::uint64_t total = records_at;
  for (std::uint64_t i = tail.end_ordinal(); i-- > from;) {
    const placed& record = tail.at(i);
    total += record_size(record.body.size());
    if (record.is_new_block())
      core_.index.undo(record.head.stream, {record.head.first_sequence, record.head.count},
                       record_size(record.body.size()));
  }
  open_segment(std::max(core_.options.segment_bytes, align_up(total, file_unit)), true);
  if (from == tail.end_ordinal()) put_segment_header();  // a header's copy failed, nothing else
  std::uint64_t batch_start = core_.next_position;
  bool in_batch = false;
  for (std::uint64_t i = from + planted(bug::rewrite_leaves_one_out); i < tail.end_ordinal(); ++i) {
    placed& record = tail.at(i);
    record.position = core_.next_position;
    if (!in_batch) batch_start = record.position;
    in_batch = (record.head.flags & record_flag::batch_more) != 0;
    put_record(record.head, record.body, batch_start);
    ++core_.stats.rewritten;
    if (!record.is_new_block()) continue;
    run_.add(record, core_.active->base());
    run_.end();
  }
  rewritten_to_ = core_.next_position;
  want_sync_ = true;
  if (from == tail.end_ordinal()) return submit();
  close_write();
  held_for_ = in_flight_.last_tag();
  held_covers_ = std::exchange(in_flight_.last().covers, {});
  held_header_ = make_write(core_.active->file, 0, bytes_of(core_.active->header), 0);
  holding_ = true;
  held_from_ = core_.segments.next_base();
  submit_ops();
}

void log_writer::release() {
  holding_ = false;
  held_header_.tag = in_flight_.add({held_covers_, 0, false, false});
  ops_.insert(ops_.begin(), std::move(held_header_));
  submit();
}

}  // namespace holdfast
