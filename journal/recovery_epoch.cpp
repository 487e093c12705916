// The new epoch: what is kept is made durable, the next segment begins, the records are replayed.
#include <algorithm>
#include <utility>

#include "journal/recovery.hpp"
#include "journal/segment_begin.hpp"
#include "journal/segment_index.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t rewrite_bytes = 1ull << 20;

}  // namespace

// After a crash of the process alone, what was found may be in memory only.
status recovery::make_durable() {
  std::vector<io_op> ops;
  for (const segment* in : chain_) {
    if (in->file == 0 || in->end <= watermark_) continue;
    if (status written = write_again(*in); !written) return written;
    ops.push_back(make_op(io_op::kind::sync, in->file, 0));
  }
  ops.push_back(make_sync_dir("seg", 0));
  ops.push_back(make_sync_dir("", 0));
  return run(std::move(ops));
}

// Of bytes whose sync failed Linux holds that they are on the disk, and does not write them with
// the next one. Only what is written again is.
status recovery::write_again(const segment& in) {
  if (in.header.boot_id != core_.options.boot_id) return {};  // read from the disk itself
  const std::uint64_t end = in.end - in.base();
  std::uint64_t at = watermark_ > in.first_record() ? watermark_ - in.base() : 0;
  std::vector<std::byte> bytes;
  for (; at < end; at += bytes.size()) {
    bytes.resize(std::min(end - at, rewrite_bytes));
    if (!core_.files->read_now(in.file, at, bytes).ok()) return {};  // somebody cut the file off
    std::vector<io_op> write;
    write.push_back(make_write(in.file, at, copy_to_buffer(bytes), 0));
    if (status done = run(std::move(write)); !done) return done;
  }
  return {};
}

// Files that hold nothing of the log and cannot become the new segment: on a full disk they are the
// only room there is for it. Else they go once the journal is live.
void recovery::make_room() {
  if (core_.files->free_bytes() >= 2 * core_.options.segment_bytes) return;
  std::vector<io_op> removals;
  const auto of_other_size = [this](const unused_file& f) {
    return f.size != core_.options.segment_bytes;
  };
  for (const unused_file& f : unused_) {
    if (!of_other_size(f)) continue;
    removals.push_back(make_remove(f.name, 0));
    const auto slot = static_cast<std::uint32_t>(segment_slot(f.name));
    std::uint64_t freed = f.size;
    if (const auto index = core_.index_files.find(slot); index != core_.index_files.end()) {
      removals.push_back(make_remove(index_name(slot), 0));
      freed += index->second;
      core_.index_files.erase(index);
    }
    core_.disk_used -= std::min(core_.disk_used, freed);
  }
  std::erase_if(unused_, of_other_size);
  if (!removals.empty())
    (void)run(std::move(removals));  // one that stays is found again by the next opening
}

// The file of the new epoch's first segment: one that is there, or a new one.
spare recovery::first_file(std::vector<io_op>& ops) {
  const auto usable = std::find_if(unused_.rbegin(), unused_.rend(), [this](const unused_file& f) {
    return f.size == core_.options.segment_bytes;
  });
  if (usable != unused_.rend()) {
    const unused_file f = *usable;
    if (const result<file_id> opened = core_.files->open_file(f.name); opened.ok()) {
      unused_.erase(std::next(usable).base());
      return {static_cast<std::uint32_t>(segment_slot(f.name)), *opened, f.size, true, f.reused};
    }
  }
  const std::uint32_t slot = core_.next_slot++;
  const spare made{slot, core_.files->assign(segment_name(slot)), core_.options.segment_bytes, true,
                   false};
  io_op create = make_op(io_op::kind::create, made.file, 0);
  create.size = made.size;
  create.name = segment_name(slot);
  core_.disk_used += made.size;
  ops.push_back(std::move(create));
  ops.push_back(make_sync_dir("seg", 0));
  return made;
}

status recovery::begin_epoch() {
  make_room();
  core_.epoch = epoch_seen_ + 1;
  report_.id = core_.id;
  report_.epoch = core_.epoch;
  std::vector<io_op> ops;
  const spare file = first_file(ops);
  core_.files->keep_open(file.file, true);
  const segment* last = nullptr;
  for (const auto& s : core_.segments.all())
    if (s->in_log) last = s.get();
  const segment& made = begin_segment(core_, file, last, true);
  ops.push_back(make_write(made.file, 0, bytes_of(made.header), 0));
  ops.push_back(make_op(io_op::kind::sync, made.file, 0));
  return run(std::move(ops));
}

status recovery::replay(const take_records& take) {
  restore_index(checkpoint_, core_.index);
  for (const std::uint64_t base : checkpoint_.indexed) {
    segment* of = core_.segments.find(base);
    if (!of || of->base() != base || !of->in_log || of->file == 0) continue;
    of->rows_known = false;
    core_.index.set_incomplete(true);
  }
  checkpoint_ = {};
  std::vector<record_view> batch;
  for (segment* in : chain_) {
    if (in->file == 0) continue;
    record_walker walker = walk(*in, std::max(report_.checkpoint, in->first_record()), in->end);
    while (walker.position() < in->end) {
      if (!walker.buffered() && !batch.empty()) {
        take(batch);
        batch.clear();
      }
      const walked found = walker.next();
      if (found.what == verdict::bad_header || found.what == verdict::end) walker.resync();
      const record_head& head = found.header.head;
      const bool lost = found.what == verdict::bad_body && is_numbered_here(head);
      if (found.what != verdict::good && !lost) continue;
      ++report_.records;
      in->mark(found.position);
      const bool relocated = (head.flags & record_flag::relocated) != 0;
      if (head.type == record_type::block) index_block(found, *in, relocated);
      if (is_own_record(head.type) || relocated) continue;  // relocated: known from before
      ++user_records_;
      batch.push_back({head, lost ? bytes_view{} : found.body, found.position, lost});
    }
    if (!batch.empty()) take(batch);
    batch.clear();
  }
  report_.clean = user_records_ == 0 && !report_.torn;
  return {};
}

void recovery::index_block(const walked& found, const segment& in, bool relocated) {
  const record_head& head = found.header.head;
  const range messages{head.first_sequence, head.count};
  const block_index::place at{found.position, in.base(), found.size};
  if (relocated)
    core_.index.move(head.stream, messages, at);
  else
    core_.index.add(head.stream, messages, at);
}

}  // namespace holdfast
