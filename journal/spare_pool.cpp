#include "journal/spare_pool.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint64_t measure_every_ns = 20 * ms_ns;
constexpr std::uint64_t look_again_ns = 100 * ms_ns;
// Of used files one more is kept than would be made.
constexpr std::size_t recycled_ahead = 2;
constexpr std::uint64_t directory_bit = std::uint64_t{1} << 40;
// A record's header and padding, so that a body that fits the room fits the segment.
constexpr std::uint64_t record_overhead = record_header_bytes + record_unit;

}  // namespace

void spare_pool::measure_disk() {
  if (measured_ && core_.now.now_ns < measured_at_ + measure_every_ns) return;
  measured_ = true;
  outdated_ = false;
  measured_at_ = core_.now.now_ns;
  // What was asked for and is not made yet is spoken for.
  disk_free_ = core_.files->free_bytes();
  disk_free_ -= std::min(disk_free_, coming_bytes_);
  if (core_.options.disk_limit != 0) {
    const std::uint64_t limit = core_.options.disk_limit;
    disk_free_ = std::min(disk_free_, limit - std::min(limit, core_.disk_used));
  }
  disk_free_ -= std::min(disk_free_, core_.checkpoint_reserve);
  disk_left_ = refused_ == 0 ? disk_free_ : 0;
}

std::uint64_t spare_pool::hysteresis() const noexcept {
  if (!full_) return 0;
  const std::uint64_t whole =
      core_.options.disk_limit ? core_.options.disk_limit : core_.disk_used + disk_left_;
  return whole / 20;
}

std::uint64_t spare_pool::deadline() const noexcept {
  if (core_.failed) return never_ns;
  const std::uint64_t again = refused_ != 0 && coming_.empty() ? retry_at_ : never_ns;
  const std::uint64_t look = outdated_ ? measured_at_ + measure_every_ns : never_ns;
  return std::min({again, look, full_ || short_ ? measured_at_ + look_again_ns : never_ns});
}

std::size_t spare_pool::count() const noexcept {
  if (refused_ == 0) return spares_.size();
  return static_cast<std::size_t>(
      std::count_if(spares_.begin(), spares_.end(), [](const spare& s) { return s.ready; }));
}

std::size_t spare_pool::beyond_reserve() const noexcept {
  return count() - std::min<std::size_t>(count(), core_.options.reserve_segments);
}

bool spare_pool::adopt(spare found) {
  if (found.size != core_.options.segment_bytes) return false;
  if (spares_.size() >= core_.options.reserve_segments + recycled_ahead) return false;
  core_.files->keep_open(found.file, true);
  spares_.push_back(found);
  return true;
}

bool spare_pool::recycle(const segment& freed) {
  const segment_header& header = freed.header;
  if (freed.file == 0 || freed.unsound || !freed.second_header || core_.files->pinned(freed.file))
    return false;
  if (!adopt({header.slot, freed.file, header.size, true, true})) return false;
  segment_header marked = header;
  marked.spare = true;
  core_.submit(make_write(freed.file, 0, bytes_of(marked), make_tag(asker::spare, header.slot)));
  return true;
}

void spare_pool::refill() {
  measure_disk();
  const std::uint64_t size = core_.options.segment_bytes;
  // One ahead of the reserve; early in a segment it may still come from what is freed meanwhile,
  // unless producers are held until there is one.
  const bool early = !full_ && core_.active && active_left() > size / 2;
  const std::size_t wanted = core_.options.reserve_segments + (early ? 0 : 1);
  if (refused_ != 0) try_again();
  short_ = false;
  while (!core_.failed && !short_ && refused_ == 0 && spares_.size() < wanted) {
    // The last one ahead of the reserve also needs the margin: resuming must not flutter.
    const bool ahead = spares_.size() == core_.options.reserve_segments;
    short_ = disk_left_ < size + (ahead ? hysteresis() : 0);
    if (!short_) spares_.push_back(create(size, ops_));
  }
  if (!ops_.empty()) core_.files->submit(ops_);
  ops_.clear();
  judge_full();
}

// Even if there are enough: what needs a segment of its own is held until files can be made again.
void spare_pool::try_again() {
  if (core_.failed || !coming_.empty() || core_.now.now_ns < retry_at_) return;
  if (disk_free_ >= core_.options.segment_bytes)
    spares_.push_back(create(core_.options.segment_bytes, ops_));
  else
    retry_at_ = core_.now.now_ns + look_again_ns;
}

spare spare_pool::create(std::uint64_t size, std::vector<io_op>& ops) {
  const std::uint32_t slot = core_.next_slot++;
  const spare made{slot, core_.files->assign(segment_name(slot)), size, false, false};
  io_op op = make_op(io_op::kind::create, made.file, make_tag(asker::spare, slot));
  op.size = size;
  op.name = segment_name(slot);
  ops.push_back(std::move(op));
  ops.push_back(make_sync_dir("seg", make_tag(asker::spare, slot | directory_bit)));
  core_.disk_used += size;
  disk_left_ -= std::min(disk_left_, size);
  coming_[slot] = {size, false};
  coming_bytes_ += size;
  return made;
}

spare spare_pool::take(std::uint64_t size, std::vector<io_op>& ops) {
  const bool usual = size == core_.options.segment_bytes;
  if (!usual || spares_.empty()) return create(size, ops);
  const spare first = spares_.front();
  spares_.pop_front();
  return first;
}

void spare_pool::give_back(const segment& unused) {
  const segment_header& header = unused.header;
  const spare back{header.slot, unused.file, header.size, true, header.reused};
  if (coming_.contains(header.slot) || !adopt(back)) give_up(back);
}

bool spare_pool::on_result(const io_result& done) {
  const auto slot = static_cast<std::uint32_t>(number_of(done.tag) & (directory_bit - 1));
  const auto it = std::find_if(spares_.begin(), spares_.end(),
                               [slot](const spare& s) { return s.slot == slot; });
  if (done.error == 0) {
    if (done.what == io_op::kind::create) note_made(slot);
    if (done.what != io_op::kind::sync_dir) return false;
    coming_.erase(slot);
    if (it == spares_.end()) return false;
    it->ready = true;
    if (std::exchange(refused_, 0) != 0) measured_ = false;
    return false;
  }
  const bool in_use =
      it == spares_.end() && (coming_.contains(slot) || done.what == io_op::kind::write);
  if (done.what != io_op::kind::write) {
    refused_ = done.error;
    retry_at_ = core_.now.now_ns + second_ns;
    disk_left_ = 0;
    if (in_use) give_up({slot, done.file, coming_[slot].size});
  }
  if (it == spares_.end()) return in_use;
  give_up(*it);
  spares_.erase(it);
  return false;
}

void spare_pool::note_made(std::uint32_t slot) {
  const auto it = coming_.find(slot);
  if (it == coming_.end() || std::exchange(it->second.made, true)) return;
  coming_bytes_ -= it->second.size;
}

void spare_pool::give_up(const spare& of) {
  note_made(of.slot);
  coming_.erase(of.slot);
  core_.disk_used -= std::min(core_.disk_used, of.size);
  core_.files->close_file(of.file);
  core_.submit(make_remove(segment_name(of.slot), make_tag(asker::removal, 0)));
}

std::uint64_t spare_pool::active_left() const noexcept {
  return core_.active ? core_.active->limit() - core_.next_position : 0;
}

// Full: nothing ahead of the reserve, no disk to make it, and the active segment nearly used up.
void spare_pool::judge_full() noexcept {
  const std::uint64_t size = core_.options.segment_bytes;
  if (beyond_reserve() != 0)
    full_ = false;
  else if (disk_left_ < size && active_left() < size / 8)
    full_ = true;
}

room spare_pool::disk_room() const noexcept {
  room left;
  const std::uint64_t usable = core_.options.segment_bytes - records_at;
  const std::uint64_t active =
      active_left() > record_overhead ? active_left() - record_overhead : 0;
  left.control_bytes = active + count() * usable + disk_left_;
  // All but the last segment of the reserve; what does not fit into a segment finds none there.
  const std::uint64_t largest = core_.options.segment_bytes / 4 - record_overhead;
  const std::size_t reserved = count() - std::min<std::size_t>(count(), 1);
  left.reply_bytes = std::min(active + reserved * usable, largest);
  if (full_) return left;
  const std::uint64_t kept = core_.options.segment_bytes * core_.options.reserve_segments;
  const std::uint64_t owed = kept - std::min(kept, count() * core_.options.segment_bytes);
  // Only whole segments count: a new one is needed whole. Segments that are there take no record
  // that gets a segment of its own, so beyond what the disk has they offer no more than the
  // largest they take.
  const std::uint64_t disk = (disk_left_ - std::min(disk_left_, owed)) /
                             core_.options.segment_bytes * (usable - record_overhead);
  // While the reserve is short of segments and the disk cannot make them, the active one stands
  // in: a plain message is known only once it is read, and may have rolled into the reserve.
  const std::uint64_t lent = owed - std::min(owed, disk_left_);
  const std::uint64_t there = active - std::min(active, lent) + beyond_reserve() * usable;
  left.message_bytes = std::max(disk, std::min(there + disk, largest));
  left.reply_bytes = std::max(left.reply_bytes, left.message_bytes);
  return left;
}

}  // namespace holdfast
