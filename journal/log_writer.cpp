#include "journal/log_writer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checksum.hpp"
#include "base/planted.hpp"
#include "journal/segment_begin.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t filled_commit_min = 8 << 10;
constexpr std::uint64_t filled_share = 64;    // of a segment: no more for filling up one page
constexpr std::size_t copied_body_max = 256;  // cheaper copied than as a piece of its own

std::size_t batch_end(std::span<append_item> items, std::size_t from) {
  std::size_t at = from;
  while (at + 1 < items.size() && (items[at].head.flags & record_flag::batch_more) != 0) ++at;
  return at + 1;
}

std::span<std::byte, record_header_bytes> header_at(std::byte* place) {
  return std::span<std::byte, record_header_bytes>(place, record_header_bytes);
}

}  // namespace

void log_writer::start(segment& active) {
  core_.active = &active;
  core_.next_position = active.first_record();
  core_.synced_position = core_.next_position;
  sync_asked_ = everything();
  if (!active.second_header) half_headers_.push_back(active.base());
}

ticket log_writer::append(std::span<append_item> items) {
  std::size_t at = 0;
  while (at < items.size()) {
    const std::size_t end = batch_end(items, at);
    if (core_.failed) {
      appended_ += end - at;  // never acknowledged
      at = end;
      continue;
    }
    std::uint64_t total = 0;
    for (std::size_t i = at; i < end; ++i) total += record_size(items[i].body.size());
    ensure_space(total);
    const std::uint64_t batch_start = core_.next_position;
    for (; at < end; ++at) {
      note_level(items[at].head.need);
      const placed& record =
          place(items[at].head, std::move(items[at].body), batch_start, ++appended_);
      if (record.is_new_block()) index_later(record);
    }
  }
  index_run();
  submit();
  return appended_;
}

void log_writer::append_own(record_head head, buffer_ref body) {
  ensure_space(record_size(body.size()));
  place(head, std::move(body), core_.next_position, 0);
  want_sync_ = true;
  submit();
}

std::uint64_t log_writer::append_relocated(record_head head, buffer_ref body) {
  const std::uint64_t size = record_size(body.size());
  ensure_space(size);
  place(head, std::move(body), core_.next_position, 0);
  const std::uint64_t position = core_.next_position - size;
  submit();  // a pad may follow it
  return position;
}

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

void log_writer::ensure_space(std::uint64_t total) {
  const std::uint64_t usual = core_.options.segment_bytes;
  if (total > usual / 4) {
    roll(align_up(records_at + total, file_unit));
  } else if (core_.next_position + total > core_.active->limit()) {
    roll(usual);
  }
}

// Closes the active segment and opens the next. Its header goes out with its first records: the
// first sync makes both durable together.
void log_writer::roll(std::uint64_t size) {
  close_write();
  core_.active->end = core_.next_position;
  if (sync_asked_.position < core_.next_position || header_unsynced_) push_sync();
  open_segment(size, false);
  put_segment_header();
}

void log_writer::open_segment(std::uint64_t size, bool previous_durable) {
  const segment& old = *core_.active;
  core_.files->keep_open(old.file, false);
  const spare next = spares_.take(size, ops_);
  const segment& made = begin_segment(core_, next, &old, previous_durable);
  half_headers_.push_back(made.base());
  if (next.reused) ++core_.stats.recycled;
  core_.next_position = made.first_record();
}

void log_writer::put_segment_header() {
  begin_write(0);
  write_.pieces.push_back(bytes_of(core_.active->header));
  close_write();
}

void log_writer::complete_headers(std::uint64_t synced) {
  while (!half_headers_.empty() && half_headers_.front() < synced) {
    segment* of = core_.segments.find(half_headers_.front());
    half_headers_.pop_front();
    if (of && of->in_log && !of->unsound) complete_header(*of);
  }
  if (!ops_.empty()) core_.files->submit(ops_);
  ops_.clear();
}

void log_writer::complete_header(segment& of) {
  const bool in_use = &of == core_.active;
  const auto ask = [&](io_op op, bool completes) {
    op.tag = make_tag(asker::log, first_asked_ + asked_.size());
    asked_.push_back({{}, of.base(), completes, false});
    ops_.push_back(std::move(op));
  };
  of.header_asked = true;
  ask(make_write(of.file, segment_header_copy_at, bytes_of(of.header), 0), in_use);
  if (in_use)
    header_unsynced_ = true;  // the next sync is for it as well
  else
    ask(make_op(io_op::kind::sync, of.file, 0), true);
}

void log_writer::note_header(std::uint64_t base) {
  segment* of = core_.segments.find(base);
  if (!of || of->unsound) return;
  of->header_asked = false;
  of->second_header = true;
  core_.sweep_wanted = true;
}

void log_writer::begin_write(std::uint64_t offset) {
  if (write_.file) return;
  write_ = make_op(io_op::kind::write, core_.active->file, 0);
  write_.at = offset;
  write_.pieces.reserve(pieces_before_);
}

const placed& log_writer::place(const record_head& head, buffer_ref&& body,
                                std::uint64_t batch_start, ticket number) {
  const std::uint64_t position = core_.next_position;
  const std::uint64_t size = encode(head, body, batch_start);
  core_.next_position += size;
  core_.active->end = core_.next_position;
  core_.active->mark(position);
  appended_bytes_ += size;
  ++core_.stats.records;
  proven_ = head.type == record_type::watermark || head.type == record_type::closed;
  watermark_due_ = never_ns;
  return core_.tail.push(head, std::move(body), position, number);
}

// Blocks of a stream that follow one another in a segment are one row of the index, and go there
// as one.
void log_writer::index_later(const placed& record) {
  const record_head& head = record.head;
  const std::uint64_t base = core_.active->base();
  const std::uint64_t size = record_size(record.body.size());
  if (run_.stream == head.stream && run_.messages.end() == head.first_sequence &&
      run_.at.base == base) {
    run_.messages.count += head.count;
    run_.at.bytes += size;
    return;
  }
  index_run();
  run_ = {head.stream, {head.first_sequence, head.count}, {record.position, base, size}};
}

void log_writer::index_run() {
  if (run_.messages.count != 0) core_.index.add(run_.stream, run_.messages, run_.at);
  run_ = {};
}

void log_writer::index_block(const placed& record) {
  index_later(record);
  index_run();
}

std::uint64_t log_writer::encode(const record_head& head, const buffer_ref& body,
                                 std::uint64_t batch_start) {
  const std::uint64_t position = core_.next_position;
  const std::uint64_t size = record_size(body.size());
  const bool copied = body.size() <= copied_body_max;
  begin_write(position - core_.active->base());
  std::byte* const to = slab_room(copied ? size : record_header_bytes);
  lay_out_record_header(
      {head, static_cast<std::uint32_t>(body.size()),
       position - std::min(position, core_.synced_position), position - batch_start},
      header_at(to));
  unsealed_.push_back({to, position});
  if (body.size() == 0) return size;
  if (copied) {
    std::memset(to + size - record_unit, 0, record_unit);  // what the body does not cover
    std::memcpy(to + record_header_bytes, body.data(), body.size());
  } else {
    put_piece(body, size - record_header_bytes - body.size());
  }
  return size;
}

void log_writer::seal_headers() {
  for (const unsealed& one : unsealed_)
    seal_record_header(header_at(one.header), core_.active->key, one.position);
  unsealed_.clear();
}

void log_writer::put_piece(const buffer_ref& body, std::size_t padding) {
  close_piece();
  write_.pieces.push_back(body);
  std::memset(slab_room(padding), 0, padding);
}

// The next bytes of the write being put together, to be filled, in the slab.
std::byte* log_writer::slab_room(std::size_t size) {
  if (!slab_ || slab_used_ + size > slab_pool::slab_bytes) fresh_slab();
  slab_used_ += size;
  return slab_ + slab_used_ - size;
}

void log_writer::fresh_slab() {
  close_piece();
  slab_ = slabs_.next();
  slab_from_ = slab_used_ = 0;
}

void log_writer::close_piece() {
  if (slab_used_ == slab_from_) return;
  write_.pieces.push_back(slabs_.slice(slab_from_, slab_used_ - slab_from_));
  slab_from_ = slab_used_;
}

void log_writer::close_write() {
  if (!write_.file) return;
  seal_headers();
  close_piece();
  write_.tag = make_tag(asker::log, first_asked_ + asked_.size());
  asked_.push_back({everything(), 0, false, false});
  pieces_before_ = write_.pieces.size();
  ops_.push_back(std::move(write_));
  write_ = io_op{};
}

void log_writer::push_sync() {
  ops_.push_back(make_op(io_op::kind::sync, core_.active->file,
                         make_tag(asker::log, first_asked_ + asked_.size())));
  asked_.push_back({everything(), 0, false, false});
  sync_asked_ = everything();
  header_unsynced_ = false;
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
  record_head head;
  head.type = record_type::pad;
  head.time_ns = core_.now.real_ns;
  head.body_sum = checksum(zeros.bytes());
  place(head, std::move(zeros), core_.next_position, 0);
}

void log_writer::submit() {
  if (holding_) return;
  if (appended_bytes_ - sync_asked_.bytes > core_.options.sync_bytes) want_sync_ = true;
  if (want_sync_) fill_page();
  close_write();
  if (want_sync_) push_sync();
  if (!ops_.empty()) core_.files->submit(ops_);
  ops_.clear();
}

void log_writer::sync_all() {
  if (core_.failed || sync_asked_.position == core_.next_position) return;
  want_sync_ = true;
  submit();
}

void log_writer::on_result(const io_result& done) {
  const std::uint64_t number = number_of(done.tag);
  if (is_past(done) || core_.failed) return;
  if (done.error != 0 && !planted(bug::sync_error_ignored))
    return on_failure(asked_[number - first_asked_], done);
  asked_[number - first_asked_].done = true;
  advance(asked{asked_[number - first_asked_]}, done.what);
  if (holding_ && number == held_for_) release();
  drop_done();
}

void log_writer::drop_done() {
  while (!asked_.empty() && asked_.front().done) {
    asked_.pop_front();
    ++first_asked_;
  }
}

void log_writer::advance(const asked& op, io_op::kind what) {
  written_ = std::max(written_, op.covers.number);
  if (op.completes) note_header(op.header_of);
  if (what != io_op::kind::sync && !planted(bug::written_is_synced)) return;
  synced_ = std::max(synced_, planted(bug::sync_covers_later) ? appended_ : op.covers.number);
  synced_bytes_ = std::max(synced_bytes_, op.covers.bytes);
  core_.synced_position = std::max(core_.synced_position, op.covers.position);
  if (rewriting_ && core_.synced_position >= rewritten_to_) rewriting_ = false;
  core_.sweep_wanted = true;
  complete_headers(core_.synced_position);
  if (all_synced() && !proven_) watermark_due_ = core_.now.now_ns + core_.options.idle_watermark_ns;
}

void log_writer::append_closed() {
  record_head head;
  head.type = record_type::closed;
  head.time_ns = core_.now.real_ns;
  head.body_sum = checksum({});
  append_own(head, {});
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
  if (!all_synced()) return;
  slabs_.give_back();
  asked_.give_back();
  core_.tail.give_back();
  record_head head;
  head.type = record_type::watermark;
  head.time_ns = core_.now.real_ns;
  head.body_sum = checksum({});
  append_own(head, {});
}

std::uint64_t log_writer::deadline() const noexcept {
  if (core_.failed) return never_ns;
  return std::min({sync_due_, watermark_due_, lost_ != 0 ? ask_again_at_ : never_ns});
}

marks log_writer::now_at() const noexcept {
  return {appended_, written_, synced_, core_.failed ? &core_.failure : nullptr};
}

}  // namespace holdfast
