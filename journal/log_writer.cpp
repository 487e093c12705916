#include "journal/log_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/checksum.hpp"
#include "journal/segment_begin.hpp"

namespace holdfast {
namespace {

std::size_t batch_end(std::span<append_item> items, std::size_t from) {
  std::size_t at = from;
  while (at + 1 < items.size() && (items[at].head.flags & record_flag::batch_more) != 0) ++at;
  return at + 1;
}

}  // namespace

void log_writer::start(segment& active) {
  core_.active = &active;
  core_.next_position = active.first_record();
  core_.synced_position = core_.next_position;
  sync_asked_ = everything();
  if (!active.second_header) headers_.add(active);
}

ticket log_writer::append(std::span<append_item> items) {
  for (std::size_t at = 0; at < items.size();) {
    const std::size_t end = batch_end(items, at);
    if (core_.failed)
      appended_ += end - at;  // never acknowledged
    else
      append_batch(items.subspan(at, end - at));
    at = end;
  }
  run_.end();
  submit();
  return appended_;
}

void log_writer::append_batch(std::span<append_item> batch) {
  std::uint64_t total = 0;
  for (const append_item& item : batch) total += record_size(item.body.size());
  ensure_space(total);
  const std::uint64_t batch_start = core_.next_position;
  for (append_item& item : batch) {
    note_level(item.head.need);
    const placed& record = place(item.head, std::move(item.body), batch_start, ++appended_);
    if (record.is_new_block()) run_.add(record, core_.active->base());
  }
}

record_head log_writer::own_head(record_type type, bytes_view body) const {
  record_head head;
  head.type = type;
  head.time_ns = core_.now.real_ns;
  head.body_sum = checksum(body);
  return head;
}

void log_writer::append_own(record_type type, buffer_ref body) {
  ensure_space(record_size(body.size()));
  const record_head head = own_head(type, body.bytes());
  place(head, std::move(body), core_.next_position, 0);
  want_sync_ = true;
  submit();
}

void log_writer::append_closed() {
  append_own(record_type::closed, {});
}

std::uint64_t log_writer::append_relocated(record_head head, buffer_ref body) {
  const std::uint64_t size = record_size(body.size());
  ensure_space(size);
  place(head, std::move(body), core_.next_position, 0);
  const std::uint64_t position = core_.next_position - size;
  submit();  // a pad may follow it
  return position;
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
  if (sync_asked_.position < core_.next_position || headers_.unsynced()) push_sync();
  open_segment(size, false);
  put_segment_header();
}

void log_writer::open_segment(std::uint64_t size, bool previous_durable) {
  const segment& old = *core_.active;
  core_.files->keep_open(old.file, false);
  const spare next = spares_.take(size, ops_);
  const segment& made = begin_segment(core_, next, &old, previous_durable);
  headers_.add(made);
  if (next.reused) ++core_.stats.recycled;
  core_.next_position = made.first_record();
}

void log_writer::put_segment_header() {
  write_.begin(core_.active->file, 0);
  write_.add(bytes_of(core_.active->header));
  close_write();
}

const placed& log_writer::place(const record_head& head, buffer_ref&& body,
                                std::uint64_t batch_start, ticket number) {
  const std::uint64_t position = core_.next_position;
  put_record(head, body, batch_start);
  appended_bytes_ += core_.next_position - position;
  ++core_.stats.records;
  proven_ = head.type == record_type::watermark || head.type == record_type::closed;
  watermark_due_ = never_ns;
  return core_.tail.push(head, std::move(body), position, number);
}

// Its bytes go to the next position.
void log_writer::put_record(const record_head& head, const buffer_ref& body,
                            std::uint64_t batch_start) {
  const std::uint64_t position = core_.next_position;
  segment& in = *core_.active;
  write_.begin(in.file, position - in.base());
  const std::uint64_t unproven = position - std::min(position, core_.synced_position);
  core_.next_position +=
      write_.add({head, static_cast<std::uint32_t>(body.size()), unproven, position - batch_start},
                 body, position);
  in.end = core_.next_position;
  in.mark(position);
}

void log_writer::close_write() {
  if (write_.empty()) return;
  ops_.push_back(write_.finish(core_.active->key));
  ops_.back().tag = in_flight_.add({everything(), 0, false, false});
}

}  // namespace holdfast
