#include "journal/spare_pool.hpp"

#include <algorithm>

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
  measured_at_ = core_.now.now_ns;
  // What was asked for and is not made yet is spoken for.
  disk_left_ = core_.files->free_bytes();
  disk_left_ -= std::min(disk_left_, coming_bytes_);
  if (core_.options.disk_limit != 0) {
    const std::uint64_t limit = core_.options.disk_limit;
    disk_left_ = std::min(disk_left_, limit - std::min(limit, core_.disk_used));
  }
  disk_left_ -= std::min(disk_left_, core_.checkpoint_reserve);
}

std::uint64_t spare_pool::hysteresis() const noexcept {
  if (!full_) return 0;
  const std::uint64_t whole =
      core_.options.disk_limit ? core_.options.disk_limit : core_.disk_used + disk_left_;
  return whole / 20;
}

std::uint64_t spare_pool::deadline() const noexcept {
  return full_ && !core_.failed ? measured_at_ + look_again_ns : never_ns;
}

std::size_t spare_pool::beyond_reserve() const noexcept {
  return spares_.size() - std::min<std::size_t>(spares_.size(), core_.options.reserve_segments);
}

bool spare_pool::adopt(spare found) {
  if (found.size != core_.options.segment_bytes) return false;
  if (spares_.size() >= core_.options.reserve_segments + recycled_ahead) return false;
  spares_.push_back(found);
  return true;
}

bool spare_pool::recycle(const segment& freed) {
  const segment_header& header = freed.header;
  if (freed.file == 0 || !freed.second_header || core_.files->pinned(freed.file)) return false;
  if (!adopt({header.slot, freed.file, header.size, true, true})) return false;
  segment_header marked = header;
  marked.spare = true;
  core_.submit(make_write(freed.file, 0, bytes_of(marked), make_tag(asker::spare, header.slot)));
  return true;
}

void spare_pool::refill() {
  measure_disk();
  const std::uint64_t size = core_.options.segment_bytes;
  // One ahead of the reserve; early in a segment it may still come from what is freed meanwhile.
  const bool early = core_.active && active_left() > size / 2;
  const std::size_t wanted = core_.options.reserve_segments + (early ? 0 : 1);
  while (!core_.failed && spares_.size() < wanted && core_.now.now_ns >= retry_at_) {
    // The last one ahead of the reserve also needs the margin: resuming must not flutter.
    const bool ahead = spares_.size() == core_.options.reserve_segments;
    const std::uint64_t margin = ahead ? hysteresis() : 0;
    if (disk_left_ < size + margin) break;
    spares_.push_back(create(size, ops_));
  }
  if (!ops_.empty()) core_.files->submit(ops_);
  ops_.clear();
  judge_full();
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
  coming_[slot] = size;
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

bool spare_pool::on_result(const io_result& done) {
  const auto slot = static_cast<std::uint32_t>(number_of(done.tag) & (directory_bit - 1));
  const auto it = std::find_if(spares_.begin(), spares_.end(),
                               [slot](const spare& s) { return s.slot == slot; });
  if (const auto coming = coming_.find(slot); coming != coming_.end()) {
    coming_bytes_ -= coming->second;
    coming_.erase(coming);
  }
  if (done.error == 0) {
    if (it != spares_.end() && done.what == io_op::kind::sync_dir) it->ready = true;
    return false;
  }
  retry_at_ = core_.now.now_ns + second_ns;
  disk_left_ = 0;
  if (it == spares_.end()) return true;
  core_.disk_used -= it->size;
  core_.files->close_file(it->file);
  core_.submit(make_remove(segment_name(slot), make_tag(asker::removal, 0)));
  spares_.erase(it);
  return false;
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
  left.control_bytes = active + spares_.size() * usable + disk_left_;
  // All but the last segment of the reserve; what does not fit into a segment finds none there.
  const std::uint64_t largest = core_.options.segment_bytes / 4 - record_overhead;
  const std::size_t reserved = spares_.size() - std::min<std::size_t>(spares_.size(), 1);
  left.reply_bytes = std::min(active + reserved * usable, largest);
  if (full_) return left;
  const std::uint64_t kept = core_.options.segment_bytes * core_.options.reserve_segments;
  const std::uint64_t owed = kept - std::min(kept, spares_.size() * core_.options.segment_bytes);
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
