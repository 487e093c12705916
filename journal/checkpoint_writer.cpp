#include "journal/checkpoint_writer.hpp"

#include <algorithm>

#include "base/planted.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t file_bytes_min = 64 << 10;
constexpr std::uint64_t pressed_every_ns = 100 * ms_ns;

buffer_ref to_buffer(std::vector<std::byte>& from) {
  buffer_ref made = copy_to_buffer(from);
  from.clear();
  return made;
}

}  // namespace

void checkpoint_writer::adopt(const kept_checkpoint& found) {
  kept_.push_back(found);
  next_number_ = std::max(next_number_, found.number + 1);
  core_.older_checkpoint = kept_.size() < 2 ? 0 : kept_[kept_.size() - 2].position;
  begun_bytes_ = found.position;
}

void checkpoint_writer::put(io_op op) {
  op.tag = make_tag(asker::checkpoint, ++tag_);
  ++outstanding_;
  core_.submit(std::move(op));
}

void checkpoint_writer::prepare() {
  const std::uint64_t last = kept_.empty() ? 0 : kept_.back().size;
  file_ = core_.files->assign(checkpoint_temporary);
  file_size_ = std::max(file_bytes_min, align_up(2 * last, file_unit));
  core_.disk_used += file_size_;
  // Two kept and one being written, each as large as this one: a full disk must not stop them.
  std::uint64_t have = file_size_;
  for (const kept_checkpoint& k : kept_) have += k.file_size;
  core_.checkpoint_reserve = 3 * file_size_ - std::min(3 * file_size_, have);
  io_op op = make_op(io_op::kind::create, file_, 0);
  op.size = file_size_;
  op.name = checkpoint_temporary;
  bad_ = false;
  put(std::move(op));
}

void checkpoint_writer::note_append(bool oversize) noexcept {
  changed_ = true;
  oversize_ |= oversize;
}

bool checkpoint_writer::due() const noexcept {
  if (running() || core_.failed) return false;
  const std::uint64_t age = core_.now.now_ns - begun_at_;
  // Space waits for the older checkpoint to move on, whether or not anything is appended meanwhile.
  if (pressed_ && age >= pressed_every_ns) return true;
  if (!changed_) return false;
  if (oversize_) return true;
  const std::uint64_t last = kept_.empty() ? 0 : kept_.back().size;
  const std::uint64_t since = core_.next_position - begun_bytes_;
  if (crowded_ && age >= pressed_every_ns && since >= 2 * last) return true;
  const std::uint64_t bytes = std::max(core_.options.checkpoint_bytes, 4 * last);
  return age >= core_.options.checkpoint_ns || since >= bytes;
}

std::uint64_t checkpoint_writer::deadline() const noexcept {
  if (state_ == state::adding && !own_.done()) return 0;
  return pressed_ && !running() && !core_.failed ? begun_at_ + pressed_every_ns : never_ns;
}

bool checkpoint_writer::begin() {
  if (running() || core_.failed) return false;
  if (bad_) set_aside();
  header_ = {core_.id,    next_number_++,        core_.next_position,
             core_.epoch, core_.options.boot_id, core_.now.real_ns};
  state_ = state::adding;
  begun_at_ = core_.now.now_ns;
  begun_bytes_ = core_.next_position;
  changed_ = oversize_ = false;
  at_ = 0;
  out_.resize(checkpoint_header_bytes);
  encode_checkpoint_header(header_, std::span<std::byte>(out_).first<checkpoint_header_bytes>());
  given_ = false;
  own_.begin(out_, header_, out_.size());
  go_on();
  return true;
}

// The next slice of the journal's own rows.
void checkpoint_writer::go_on() {
  own_.step(out_, header_, at_ + out_.size());
  as_of_ = core_.next_position;
  if (!out_.empty()) write_out();
  if (given_ && own_.done()) close_file();
}

void checkpoint_writer::write_out() {
  const std::uint64_t size = out_.size();
  put(make_write(file_, at_, to_buffer(out_), 0));
  at_ += size;
}

void checkpoint_writer::add(bytes_view rows) {
  if (state_ != state::adding) return;
  while (!rows.empty()) {
    const std::size_t part = std::min<std::size_t>(rows.size(), chunk_bytes_max - rows_.size());
    rows_.insert(rows_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(part));
    rows = rows.subspan(part);
    if (rows_.size() < chunk_bytes_max) break;
    append_chunk(out_, header_, at_, chunk_kind::rows, rows_);
    rows_.clear();
    write_out();
  }
}

void checkpoint_writer::finish() {
  if (state_ != state::adding || given_) return;
  if (!rows_.empty()) {
    append_chunk(out_, header_, at_, chunk_kind::rows, rows_);
    rows_.clear();
    write_out();
  }
  given_ = true;
  as_of_ = core_.next_position;
  if (own_.done()) close_file();
}

void checkpoint_writer::close_file() {
  append_chunk(out_, header_, at_, chunk_kind::end, {});
  write_out();
  put(make_op(io_op::kind::sync, file_, 0));
  state_ = state::syncing;
  if (core_.synced_position < as_of_) log_.sync_all();
  advance();
}

void checkpoint_writer::on_result(const io_result& done) {
  if (number_of(done.tag) < first_tag_) return;
  --outstanding_;
  if (done.error != 0) bad_ = true;
}

void checkpoint_writer::advance() {
  if (bad_ && running()) {
    abort();
    return;
  }
  if (state_ == state::adding && !own_.done()) go_on();
  if (outstanding_ != 0) return;
  if (state_ == state::naming) {
    put_in_force();
  } else if (state_ == state::syncing &&
             (core_.synced_position >= as_of_ || planted(bug::checkpoint_before_its_log))) {
    state_ = state::naming;
    io_op rename = make_op(io_op::kind::rename, file_, 0);
    rename.name = checkpoint_temporary;
    rename.to = checkpoint_name(header_.number);
    put(std::move(rename));
    put(make_sync_dir("", 0));
  }
}

void checkpoint_writer::put_in_force() {
  state_ = state::idle;
  core_.files->close_file(file_);
  core_.disk_used += std::max(at_, file_size_) - file_size_;
  kept_.push_back({header_.number, header_.position, at_, std::max(at_, file_size_)});
  while (kept_.size() > 2) {
    core_.submit(make_remove(checkpoint_name(kept_.front().number), make_tag(asker::removal, 0)));
    core_.disk_used -= std::min(core_.disk_used, kept_.front().file_size);
    kept_.erase(kept_.begin());
  }
  core_.older_checkpoint = kept_.size() < 2 ? 0 : kept_.front().position;
  core_.sweep_wanted = true;
  ++core_.stats.checkpoints;
  prepare();
}

void checkpoint_writer::abort() {
  if (state_ == state::idle) return;
  state_ = state::idle;
  rows_.clear();
  out_.clear();
  changed_ = true;
  bad_ = true;  // the file is made anew before the next
}

// Leaves a file that failed, or was half written, for a new one of the same name.
void checkpoint_writer::set_aside() {
  first_tag_ = tag_ + 1;
  outstanding_ = 0;
  core_.files->close_file(file_);
  core_.disk_used -= std::min(core_.disk_used, file_size_);
  prepare();
}

}  // namespace holdfast
