#include "journal/segment_indexer.hpp"

#include <algorithm>

#include "journal/mapping.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t window_bytes = 4ull << 20;
constexpr std::uint32_t slice_runs = 4096;

}  // namespace

void segment_indexer::put(io_op op) {
  op.tag = make_tag(asker::index, ++tag_);
  ++outstanding_;
  core_.submit(std::move(op));
}

// What was asked for is of no interest any more; but what is under way needs its file.
void segment_indexer::stop() {
  if (file_ != 0 && outstanding_ != 0)
    left_.push_back({std::exchange(file_, 0), tag_});
  else if (file_ != 0)
    core_.files->close_file(std::exchange(file_, 0));
  first_tag_ = tag_ + 1;
  outstanding_ = 0;
  scan_.reset();
  index_ = {};
  work_ = work::none;
}

void segment_indexer::step() {
  if (core_.failed) return;
  segment* of = work_ == work::none ? nullptr : target();
  if (work_ != work::none && !is_there(of)) stop();
  if (work_ == work::none && !find_unknown()) find_unwritten();
  if (work_ == work::filling) fill(*target());
}

bool segment_indexer::find_unknown() {
  if (!core_.index.incomplete()) return false;
  const auto& all = core_.segments.all();
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if ((*at)->rows_known || (*at)->no_index) continue;
    begin(**at);
    return true;
  }
  core_.index.set_incomplete(false);
  core_.live_shrank = core_.sweep_wanted = true;
  return false;
}

void segment_indexer::find_unwritten() {
  if (!spares_.ample()) return;
  for (const auto& s : core_.segments.all()) {
    if (s.get() == core_.active || s->indexed || s->no_index || !s->in_log || s->file == 0)
      continue;
    if (s->live_rows == 0 || s->end > core_.synced_position) continue;
    begin(*s);
    return;
  }
}

void segment_indexer::begin(const segment& of) {
  base_ = of.base();
  bad_ = unread_ = false;
  filled_ = 0;
  if (!of.rows_known && core_.index_files.contains(of.header.slot))
    read_file(of);
  else
    scan(*target());
}

void segment_indexer::read_file(const segment& of) {
  const std::uint32_t slot = of.header.slot;
  const result<file_id> opened = core_.files->open_file(index_name(slot));
  if (!opened) return scan(*target());
  file_ = *opened;
  work_ = work::reading;
  io_op op = make_op(io_op::kind::load, file_, 0);
  op.size = core_.index_files.at(slot);
  op.digest = [header = of.header, end = of.end](const buffer_ref& file) {
    const map_guard guarded;
    buffer_ref copy = copy_to_buffer(file.bytes());  // a map may change while rows are taken over
    return segment_index_view::of(copy.bytes(), header, end) ? copy : buffer_ref{};
  };
  put(std::move(op));
}

// Asks for the next part of the segment.
void segment_indexer::scan(segment& of) {
  work_ = work::scanning;
  if (!scan_) scan_ = std::make_shared<segment_scan>(of.header, of.end);
  if (scan_->done()) return take_index(of, scan_->encode());
  io_op op = make_op(io_op::kind::load, of.file, 0);
  op.at = scan_->position() - of.base();
  op.size = asked_bytes_ = std::min(window_bytes, of.end - scan_->position());
  op.digest = [scanned = scan_](const buffer_ref& part) {
    const map_guard guarded;
    scanned->take(part.bytes());
    return scanned->done() ? scanned->encode() : buffer_ref{};
  };
  put(std::move(op));
}

void segment_indexer::close_left(std::uint64_t tag) {
  std::erase_if(left_, [&](const left_file& one) {
    if (one.last_tag != tag) return false;
    core_.files->close_file(one.file);
    return true;
  });
}

void segment_indexer::on_result(const io_result& done) {
  close_left(number_of(done.tag));
  if (number_of(done.tag) < first_tag_) return;
  --outstanding_;
  segment* of = target();
  if (!is_there(of)) return stop();
  if (work_ == work::reading) {
    core_.files->close_file(std::exchange(file_, 0));
    if (done.error != 0 || done.bytes.size() == 0) return scan(*of);
    of->indexed = true;
    take_index(*of, done.bytes);
  } else if (work_ == work::scanning) {
    // What cannot be read now may be read another time.
    unread_ = unread_ || done.error != 0 || !done.text.empty();
    if (done.error != 0) scan_->pass_over(asked_bytes_);
    if (!scan_->done()) return scan(*of);
    of->no_index = unread_ || scan_->damaged();
    take_index(*of, done.error != 0 ? scan_->encode() : done.bytes);
  } else if (work_ == work::writing) {
    bad_ = bad_ || done.error != 0;
    if (outstanding_ == 0) end_writing(*of);
  }
}

void segment_indexer::take_index(segment& of, buffer_ref index) {
  index_ = std::move(index);
  scan_.reset();
  if (!of.rows_known)
    work_ = work::filling;
  else
    end_filling(of);
}

void segment_indexer::fill(segment& of) {
  const map_guard guarded;
  const auto view = segment_index_view::of_checked(index_.bytes(), of.header);
  const std::uint32_t to = std::min(view.runs(), filled_ + slice_runs);
  for (; filled_ < to; ++filled_) {
    const segment_run run = view.run(filled_);
    if (run.stream == no_stream) continue;
    index_row row;
    row.position = run.position;
    row.first = run.first;
    row.span = row.count = run.span;
    row.bytes = run.bytes;
    core_.index.fill(run.stream, row, of.base());
  }
  if (filled_ < view.runs()) return;
  for (std::uint32_t i = 0; i < view.steps(); ++i) of.mark(view.step(i).position);
  end_filling(of);
}

void segment_indexer::end_filling(segment& of) {
  // What emptied it is not known: as when a journal goes live.
  if (!of.rows_known && of.live_rows == 0) {
    of.drained = true;
    of.freed_at = core_.next_position;
  }
  of.rows_known = of.rows_known || !unread_;
  if (of.indexed || of.no_index || of.live_rows == 0 || !spares_.ample())
    stop();
  else
    write_file(of);
}

void segment_indexer::write_file(segment& of) {
  work_ = work::writing;
  const std::uint32_t slot = of.header.slot;
  const std::string name = index_name(slot);
  const std::uint64_t size = index_.size();
  // A file that is there is written over: what it held is no index of this segment.
  if (core_.index_files.contains(slot)) {
    const result<file_id> opened = core_.files->open_file(name);
    if (opened.ok()) file_ = *opened;
  }
  if (file_ == 0) {
    file_ = core_.files->assign(name);
    io_op made = make_op(io_op::kind::create, file_, 0);
    made.size = size;
    made.name = name;
    put(std::move(made));
    put(make_sync_dir("seg", 0));
  }
  std::uint64_t& known = core_.index_files[slot];
  core_.disk_used += std::max(known, size) - known;
  spares_.spend(std::max(known, size) - known);
  known = std::max(known, size);
  put(make_write(file_, 0, index_, 0));
  put(make_op(io_op::kind::sync, file_, 0));
}

void segment_indexer::end_writing(segment& of) {
  of.indexed = !bad_;
  of.no_index = bad_;
  stop();
}

}  // namespace holdfast
