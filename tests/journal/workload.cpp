#include "tests/journal/workload.hpp"

namespace holdfast::testing {
namespace {

constexpr std::size_t submitted_max = 12;  // operations; beyond it the disk works

virtual_disk_options disk_of(const workload_plan& plan) {
  virtual_disk_options options;
  options.seed = plan.seed * 77 + 5;
  return options;
}

}  // namespace

workload::workload(workload_plan plan) : random(plan.seed), r(disk_of(plan)), plan_(plan) {
  journal_options& o = r.options;
  o.segment_bytes = (16ull << 10) << (plan.small_disk ? 0 : random.below(3));
  o.tail_bytes = random.below(3) * 20'000;
  o.checkpoint_bytes = 40'000;
  o.interval_ms = 2;
  o.process_sync_ns = 5 * ms_ns;
  o.reserve_segments = static_cast<std::uint32_t>(1 + random.below(2));
  o.seed = plan.seed;
  // Three checkpoints of 64 KiB and a dozen segments.
  if (plan.small_disk) o.disk_limit = 3 * (64 << 10) + (10 + random.below(6)) * o.segment_bytes;
}

std::string workload::open(crash_mode after) {
  r.disk.set_auto_complete(true);
  const status opened = r.open();
  if (!opened.ok()) return "open: " + std::string(opened.text());
  std::size_t total = 0;
  std::string wrong = told.compare_rows(r.checkpoint_rows, total);
  if (!wrong.empty()) return wrong;
  if (r.wrong != 0) return "wrong bytes in replay";
  total += r.records.size();
  wrong = told.compare_end(total, accepted(after), r.report);
  if (!wrong.empty()) return wrong;
  told.cut(total);
  base_ = written_ = synced_ = total;
  failed_ = false;
  recycled_ = 0;
  const history::places all = told.places_at(total);
  for (std::size_t s = 1; s <= history::streams; ++s) {
    next_[s] = all[s].next - 1;
    settled_[s] = all[s].floor;
    for (const range& done : all[s].settled) settled_[s] = std::max(settled_[s], done.end());
  }
  return told.read_live(*r.log, total);
}

void workload::run(int steps, const observer& look) {
  r.disk.set_auto_complete(false);
  for (int i = 0; i < steps && !failed_; ++i) act(look);
}

void workload::drain(const observer& look) {
  r.disk.set_auto_complete(false);
  while (r.disk.waiting() != 0) complete_one(look);
}

void workload::act(const observer& look) {
  const std::uint64_t what = random.below(100);
  const bool busy = r.disk.waiting() > submitted_max;
  if (busy || what >= 60) return complete_one(look);
  if (what < 38) append_some();
  if (what >= 38 && what < 46) acknowledge();
  if (what >= 46 && what < 49) settle_one();
  if (what >= 49 && what < 55) move_checkpoint();
  if (what >= 55) r.now_ns += random.below(3'000'000);
  if (plan_.faults && random.chance(1))
    random.chance(50) ? r.disk.fail_sync(1 + random.below(3), 5)
                      : r.disk.fail_write(1 + random.below(3), 5);
  take_marks();
}

void workload::complete_one(const observer& look) {
  if (r.disk.step(1) == 0) r.now_ns += random.below(3'000'000);
  take_marks();
  if (look) look(*this);
}

std::size_t workload::random_size() {
  if (random.chance(2)) return r.options.segment_bytes / 3 + random.below(20'000);
  return random.chance(60) ? random.below(300) : random.below(r.options.segment_bytes / 6);
}

void workload::append_some() {
  std::vector<append_item> items;
  const std::uint64_t count = random.chance(30) ? 1 + random.below(5) : 1;
  const bool batch = count > 1 && random.chance(60);
  std::size_t bytes = 0;
  auto next = next_;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto stream = static_cast<stream_id>(1 + random.below(history::streams));
    const auto messages = static_cast<std::uint16_t>(1 + random.below(4));
    const auto need = static_cast<level>(1 + random.below(3));
    items.push_back(block_item(stream, next[stream] + 1, messages, random_size(), need));
    bytes += record_size(items.back().body.size());
    next[stream] += messages;
    if (batch)
      items.back().head.flags = i + 1 < count ? record_flag::batch_more : record_flag::batch_end;
  }
  if (r.log->available().message_bytes < bytes) {
    ++full;
    return acknowledge();
  }
  oversize += bytes > r.options.segment_bytes / 4 ? 1 : 0;
  next_ = next;
  submit(items);
}

// A cursor that moved: everything of the stream below is finished.
void workload::acknowledge() {
  const auto stream = static_cast<stream_id>(1 + random.below(history::streams));
  const std::uint64_t kept = random.below(2 * plan_.live_blocks + 1);
  if (next_[stream] <= kept || r.log->available().control_bytes < 1000) return;
  append_item item = block_item(stream, next_[stream] + 1 - kept, 0, 40, level::disk);
  item.head.type = record_type::group_ack;
  const std::uint64_t to = item.head.first_sequence;
  submit({&item, 1});
  r.log->trim(stream, to);
  settled_[stream] = std::max(settled_[stream], to);
}

// Messages finished out of order: a block, with a hole below it perhaps.
void workload::settle_one() {
  const auto stream = static_cast<stream_id>(1 + random.below(history::streams));
  const range done = told.block_at_or_behind(stream, settled_[stream] + random.below(4));
  if (done.count == 0 || r.log->available().control_bytes < 1000) return;
  append_item item =
      block_item(stream, done.first, static_cast<std::uint16_t>(done.count), 40, level::disk);
  item.head.type = record_type::group_ack;
  submit({&item, 1});
  r.log->settle(stream, {&done, 1});
  settled_[stream] = done.end();
}

void workload::submit(std::span<append_item> items) {
  for (const append_item& item : items) told.add(item);
  const std::uint64_t before = r.log->next_position() / r.options.segment_bytes;
  r.log->append(items);
  rolls += r.log->next_position() / r.options.segment_bytes != before ? 1 : 0;
}

void workload::move_checkpoint() {
  if (!r.log->checkpoint_running()) {
    rows_ = told.rows();
    if (r.log->begin_checkpoint()) rows_given_ = 0;
    return;
  }
  const std::size_t part = std::min(rows_.size() - rows_given_, rows_.size() / 2 + 1);
  r.log->add_checkpoint_rows(std::span(rows_).subspan(rows_given_, part));
  rows_given_ += part;
  if (rows_given_ == rows_.size()) r.log->finish_checkpoint();
}

void workload::take_marks() {
  const marks at = r.log->progress();
  written_ = base_ + at.written;
  synced_ = base_ + at.synced;
  failed_ = at.failure != nullptr;
  const journal_stats now = r.log->stats();
  checkpoints = std::max(checkpoints, now.checkpoints);
  recycled += now.recycled - recycled_;
  recycled_ = now.recycled;
}

}  // namespace holdfast::testing
