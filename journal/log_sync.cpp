// The log's writer: when what was appended is synced, and what becomes durable by it.
#include <algorithm>
#include <utility>

#include "base/planted.hpp"
#include "journal/log_writer.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t filled_commit_min = 8 << 10;
constexpr std::uint64_t filled_share = 64;  // of a segment: no more for filling up one page

}  // namespace

void log_writer::note_level(level need) noexcept {
  switch (need) {
    case level::process:
      sync_due_ = std::min(sync_due_, core_.now.now_ns + core_.options.process_sync_ns);
      return;
    case level::interval:
      sync_due_ = std::min(sync_due_, core_.now.now_ns + core_.options.interval_ms * ms_ns);
      return;
    case level::disk: want_sync_ = true; return;
  }
}

void log_writer::push_sync() {
  ops_.push_back(make_op(io_op::kind::sync, core_.active->file,
                         in_flight_.add({everything(), 0, false, false})));
  sync_asked_ = everything();
  headers_.note_sync();
  sync_due_ = never_ns;
  want_sync_ = false;
  ++core_.stats.syncs;
}

// A page that two commits touch is written twice. A commit that is large enough ends with its page,
// if it is the only one: those that queue up are written, and synced, as one (docs/adr/0011).
void log_writer::fill_page() {
  const bool alone = sync_asked_.bytes == synced_bytes_;
  if (!alone || proven_ || appended_bytes_ - synced_bytes_ < filled_commit_min) return;
  const std::uint64_t left = align_up(core_.next_position, file_unit) - core_.next_position;
  if (left < record_header_bytes || left > core_.options.segment_bytes / filled_share) return;
  buffer_ref zeros = zeros_.slice(0, left - record_header_bytes);
  const record_head head = own_head(record_type::pad, zeros.bytes());
  place(head, std::move(zeros), core_.next_position, 0);
}

void log_writer::submit() {
  if (holding_) return;
  if (appended_bytes_ - sync_asked_.bytes > core_.options.sync_bytes) want_sync_ = true;
  if (want_sync_) fill_page();
  close_write();
  if (want_sync_) push_sync();
  submit_ops();
}

void log_writer::submit_ops() {
  if (!ops_.empty()) core_.files->submit(ops_);
  ops_.clear();
}

void log_writer::sync_all() {
  if (core_.failed || sync_asked_.position == core_.next_position) return;
  want_sync_ = true;
  submit();
}

void log_writer::on_result(const io_result& done) {
  if (is_past(done) || core_.failed) return;
  if (done.error != 0 && !planted(bug::sync_error_ignored)) return on_failure(done);
  advance(in_flight_.finish(done.tag), done.what);
  if (holding_ && done.tag == held_for_) release();
}

void log_writer::advance(const ops_in_flight::op& op, io_op::kind what) {
  written_ = std::max(written_, op.covers.number);
  if (op.completes) headers_.done(op.header_of);
  if (what != io_op::kind::sync && !planted(bug::written_is_synced)) return;
  synced_ = std::max(synced_, planted(bug::sync_covers_later) ? appended_ : op.covers.number);
  synced_bytes_ = std::max(synced_bytes_, op.covers.bytes);
  core_.synced_position = std::max(core_.synced_position, op.covers.position);
  if (rewriting_ && core_.synced_position >= rewritten_to_) rewriting_ = false;
  core_.sweep_wanted = true;
  headers_.complete(core_.synced_position, ops_);
  submit_ops();
  if (all_synced() && !proven_) watermark_due_ = core_.now.now_ns + core_.options.idle_watermark_ns;
}

void log_writer::on_time() {
  if (core_.failed) return;
  if (lost_ != 0 && core_.now.now_ns >= ask_again_at_) rewrite();
  if (core_.now.now_ns >= sync_due_) {
    sync_due_ = never_ns;  // also while writes are held: a deadline that has passed is no deadline
    sync_all();
  }
  if (core_.now.now_ns < watermark_due_) return;
  watermark_due_ = never_ns;
  if (all_synced()) idle();
}

void log_writer::idle() {
  write_.give_back();
  in_flight_.give_back();
  core_.tail.give_back();
  append_own(record_type::watermark, {});
}

std::uint64_t log_writer::deadline() const noexcept {
  if (core_.failed) return never_ns;
  return std::min({sync_due_, watermark_due_, lost_ != 0 ? ask_again_at_ : never_ns});
}

marks log_writer::now_at() const noexcept {
  return {appended_, written_, synced_, core_.failed ? &core_.failure : nullptr};
}

}  // namespace holdfast
