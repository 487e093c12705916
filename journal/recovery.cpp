#include "journal/recovery.hpp"

#include <algorithm>
#include <cstring>

#include "base/planted.hpp"
#include "base/random.hpp"
#include "journal/segment_index.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t whole_log = ~std::uint64_t{0};

/// Messages that got their numbers where they lie.
bool is_numbered_here(const record_head& head) {
  return head.type == record_type::block && (head.flags & record_flag::relocated) == 0;
}

}  // namespace

status recovery::open() {
  if (status made = core_.files->make_directory("seg"); !made) return made;
  if (status done = find_checkpoints(); !done) return done;
  if (status done = find_segments(); !done) return done;
  report_.created = found_.empty() && !have_checkpoint_;
  // Before a journal has a header it has no records.
  const bool records =
      std::any_of(unused_.begin(), unused_.end(), [](const unused_file& f) { return f.begun; });
  if (report_.created && (unreadable_files_ || records))
    return {errc::corrupt,
            "the journal has segments but no header of any can be read; nothing was changed: "
            "restore them from a copy, or move the directory aside to begin anew"};
  if (report_.created) core_.id = random_source(core_.options.seed).bytes16();
  if (have_checkpoint_)
    if (status done = list_from_checkpoint(); !done) return done;
  build_chain();
  note_unused();
  if (status done = fill_table(); !done) return done;
  scan();
  judge();
  if (status done = make_durable(); !done) return done;
  return begin_epoch();
}

status recovery::run(std::vector<io_op> ops) {
  std::size_t left = ops.size();
  std::vector<std::string> names;
  for (io_op& op : ops) {
    op.tag = make_tag(asker::recovery, names.size());
    names.push_back(core_.name_of(op));
  }
  core_.files->submit(ops);
  std::vector<io_result> results;
  int error = 0;
  std::string name;
  while (left != 0) {
    core_.files->wait();
    results.clear();
    core_.files->poll(results);
    for (const io_result& done : results) {
      if (asker_of(done.tag) != asker::recovery) continue;
      --left;
      if (done.error == 0 || error != 0) continue;
      error = done.error;
      name = names[number_of(done.tag)];
    }
  }
  if (error == 0) return {};
  return {errc::io, "opening the journal: writing failed at " + name + ": " + std::strerror(error) +
                        "; nothing was lost, check the disk and start again"};
}

// ---- what is there
// -------------------------------------------------------------------------------

status recovery::find_checkpoints() {
  result<checkpoint_search> searched = search_checkpoints(*core_.files);
  if (!searched) return searched.take_status();
  core_.disk_used += searched->bytes;
  report_.checkpoint_damaged = searched->damaged;
  for (std::string& note : searched->notes) report_.notes.push_back(std::move(note));
  for (const kept_checkpoint& one : searched->kept) checkpoints_.adopt(one);
  have_checkpoint_ = searched->found;
  if (!have_checkpoint_) return {};
  checkpoint_ = std::move(searched->newest);
  core_.id = checkpoint_.header.journal_id;
  report_.checkpoint = checkpoint_.header.position;
  epoch_seen_ = checkpoint_.header.epoch;
  return {};
}

status recovery::find_segments() {
  result<std::vector<file_info>> files = core_.files->list("seg");
  if (!files) return files.take_status();
  std::set<std::int64_t> slots;
  for (const file_info& file : *files) {
    slots.insert(segment_slot(file.name));
    if (const std::int64_t slot = index_slot(file.name); slot >= 0) {
      core_.index_files[static_cast<std::uint32_t>(slot)] = file.size;
      core_.disk_used += file.size;
    }
    if (status looked = look_at_file(file); !looked) return looked;
  }
  for (const auto& [slot, size] : core_.index_files)
    if (!slots.contains(slot)) left_alone_.push_back(slot);
  return {};
}

status recovery::look_at_file(const file_info& file) {
  const std::int64_t slot = segment_slot(file.name);
  if (slot < 0) return {};
  core_.next_slot = std::max(core_.next_slot, static_cast<std::uint32_t>(slot) + 1);
  core_.disk_used += file.size;
  result<file_id> opened = core_.files->open_file(file.name);
  if (!opened) return opened.take_status();
  std::array<std::byte, records_at + record_header_bytes> head{};
  const bool there = file.size >= head.size();
  const bool readable = there && core_.files->read_now(*opened, 0, head).ok();
  const auto read_part = [&](std::uint64_t at, std::size_t size) {
    return readable || core_.files->read_now(*opened, at, std::span(head).subspan(at, size)).ok();
  };
  // A header of another slot was misplaced: as bad as none.
  const auto header_at = [&](std::uint64_t at) {
    auto found = decode_segment_header(bytes_view(head).subspan(at));
    return found && found->slot == slot ? found : std::nullopt;
  };
  // Each copy for itself: a sector that cannot be read must not hide the other.
  const bool first = there && read_part(0, segment_header_bytes);
  auto header = first ? header_at(0) : std::nullopt;
  const bool second = there && !header && read_part(segment_header_copy_at, segment_header_bytes);
  if (second) header = header_at(segment_header_copy_at);
  core_.files->close_file(*opened);
  // What it holds may be the newest that was accepted: going on without it would lose that.
  if (there && !header && !(first && second))
    return {errc::io, file.name +
                          ": its header cannot be read, an I/O error; nothing was changed: check "
                          "the disk and start again, or move the file aside to go on without it"};
  if (header) claimed_.insert(file.name);
  if (header && (have_checkpoint_ || !found_.empty()) && header->journal_id != core_.id) {
    report_.notes.push_back(file.name + " belongs to another journal and is left alone");
    return {};
  }
  if (header && header->spare) {
    core_.segments.raise_next_base(header->base + header->size);
    epoch_seen_ = std::max(epoch_seen_, header->epoch);
    unused_.push_back({file.name, file.size, true, false});
    return {};
  }
  if (header) {
    core_.id = header->journal_id;
    epoch_seen_ = std::max(epoch_seen_, header->epoch);
    found_segment& place = found_[header->base];
    if (place.header.epoch < header->epoch) place = {*header, file.name, 0, 0, true, false};
    return {};
  }
  // Without any record, or with such as nothing durable ever led to; build_chain() knows better.
  const bool records = readable && !all_zero(bytes_view(head).subspan(records_at));
  if (file.size == 0 || (readable && (!records || header_never_written(head)))) {
    unused_.push_back({file.name, file.size, records, records});
    return {};
  }
  unreadable_files_ = true;
  report_.notes.push_back(file.name + ": no segment header can be read; it is left alone");
  return {};
}

// ---- which segments are the log
// ------------------------------------------------------------------

status recovery::list_from_checkpoint() {
  for (const listed_segment& listed : checkpoint_.segments) {
    auto [it, fresh] = found_.try_emplace(listed.header.base);
    found_segment& of = it->second;
    of.listed_end = listed.end;
    if (!fresh) continue;
    of.header = listed.header;
    of.name = segment_name(listed.header.slot);
    // Freed since, and the file is in other use; or both copies of its header are bad, or it is
    // gone.
    if (claimed_.contains(of.name)) continue;
    keep(of.name);
    result<file_id> opened = core_.files->open_file(of.name);
    if (!opened && opened.kind() != errc::not_found) return opened.take_status();
    of.present = opened.ok();
    if (opened.ok()) core_.files->close_file(*opened);
  }
  return {};
}

// The file may be part of the log after all.
void recovery::keep(const std::string& name) {
  std::erase_if(unused_, [&name](const unused_file& f) { return f.name == name; });
}

void recovery::note_unused() {
  for (const unused_file& f : unused_)
    if (f.begun)
      report_.notes.push_back(f.name +
                              " was begun and never taken into the log: nothing in it was accepted "
                              "at level disk, and it is used again");
}

// Follows the headers back from the newest. What they do not lead to was cut off or abandoned.
void recovery::build_chain() {
  const std::uint64_t from = report_.checkpoint;
  found_segment* at = found_.empty() ? nullptr : &found_.rbegin()->second;
  while (at) {
    at->in_log = true;
    const segment_header& header = at->header;
    if (header.previous_durable) watermark_ = std::max(watermark_, header.previous_end);
    if (header.previous_end == 0 || (have_checkpoint_ && header.base <= from)) break;
    const auto previous = found_.find(header.previous_base);
    if (previous != found_.end()) {
      at = &previous->second;
      at->end = header.previous_end;
      continue;
    }
    if (header.previous_end <= from) break;
    keep(segment_name(header.previous_slot));
    bad_.push_back({std::max(from, header.previous_base), header.previous_end, 0, {}, true});
    // The next lower one is where the log goes on before the hole.
    const auto lower = found_.lower_bound(header.previous_base);
    at = lower == found_.begin() ? nullptr : &std::prev(lower)->second;
  }
  for (auto& [base, here] : found_)
    if (base < from && here.listed_end != 0) here.in_log = true;
}

status recovery::fill_table() {
  for (auto& [base, here] : found_) {
    core_.segments.raise_next_base(base + here.header.size);
    const bool old = have_checkpoint_ && base + here.header.size <= report_.checkpoint;
    if (!here.in_log && old) {
      if (here.present) unused_.push_back({here.name, here.header.size, true, false});
      continue;
    }
    segment made;
    made.header = here.header;
    made.key = segment_key(core_.id, here.header.epoch);
    made.in_log = here.in_log;
    const bool sealed = here.end != 0 || (old && here.listed_end != 0);
    made.end = sealed ? std::max(here.end, here.listed_end) : made.limit();
    if (here.end != 0) made.end = here.end;
    if (here.present) {
      result<file_id> opened = core_.files->open_file(here.name);
      if (!opened) return opened.take_status();
      made.file = *opened;
    }
    segment& added = core_.segments.add(std::move(made));
    if (here.in_log && added.limit() > report_.checkpoint) chain_.push_back(&added);
  }
  return {};
}

// ---- the walk
// ------------------------------------------------------------------------------------

record_walker recovery::walk(const segment& in, std::uint64_t from, std::uint64_t to) {
  storage* files = core_.files.get();
  const file_id file = in.file;
  return record_walker(
      [files, file](std::uint64_t offset, std::span<std::byte> into) {
        return files->read_now(file, offset, into);
      },
      in.base(), in.key, std::max(from, in.first_record()), to);
}

void recovery::scan() {
  watermark_ = std::max(watermark_, report_.checkpoint);
  for (segment* in : chain_) scan_segment(*in, in == chain_.back());
  std::sort(bad_.begin(), bad_.end(),
            [](const bad_stretch& a, const bad_stretch& b) { return a.from < b.from; });
}

void recovery::scan_segment(const segment& in, bool last) {
  // Only a successor's header tells where the records end.
  const auto& known = found_.at(in.base());
  std::uint64_t end = !last && known.end != 0 ? known.end : in.limit();
  bool closed = false;
  const std::uint64_t from = std::max(report_.checkpoint, in.first_record());
  if (in.file == 0) {
    if (from < end) bad_.push_back({from, end, 0, {}, true});
    return;
  }
  const std::uint64_t written = last ? core_.files->written_end(in.file) : in.header.size;
  end = std::min(end, in.base() + std::min(written, in.header.size));
  record_walker walker = walk(in, from, end);
  while (walker.position() < end) {
    const std::uint64_t at = walker.position();
    const walked found = walker.next();
    if (found.what == verdict::good || found.what == verdict::bad_body) {
      const record_head& head = found.header.head;
      const bool good = found.what == verdict::good;
      watermark_ = std::max(watermark_, at - std::min(at, found.header.durable_delta));
      if (found.header.batch_back == 0) open_batch_ = 0;
      if (!good) bad_.push_back({at, at + found.size, open_batch_, head, false});
      const bool more = (head.flags & record_flag::batch_more) != 0;
      open_batch_ = more ? at - std::min(at, found.header.batch_back) : 0;
      if (good) last_readable_ = std::max(last_readable_, at + found.size);
      if (good && is_numbered_here(head)) first_blocks_.try_emplace(in.base(), at);
      closed = good && head.type == record_type::closed;
      continue;
    }
    if (closed && last) break;
    const std::uint64_t batch = open_batch_;
    walker.resync();
    if (walker.position() >= end && last) {
      bad_.push_back({at, whole_log, batch, {}, false});
      return;
    }
    // If its successor is lost, so is where the records end: unwritten space is no damage then.
    const bool open_end = walker.position() >= end && known.end == 0;
    bad_.push_back({at, walker.position(), batch, {}, false, open_end});
    open_batch_ = 0;
  }
  if (last) bad_.push_back({walker.position(), whole_log, open_batch_, {}, false});
}

// ---- what it means
// -------------------------------------------------------------------------------

void recovery::report_damage(const bad_stretch& bad, std::uint64_t to) {
  damage row;
  row.what =
      bad.missing ? damage_kind::segment : (bad.head ? damage_kind::body : damage_kind::header);
  row.position = bad.from;
  row.size = to - bad.from;
  if (bad.head && bad.head->type == record_type::block) {
    row.stream = bad.head->stream;
    row.messages = {bad.head->first_sequence, bad.head->count};
  }
  report_.damaged.push_back(row);
}

void recovery::judge() {
  std::uint64_t cut = watermark_;
  bool torn = false;
  for (const bad_stretch& bad : bad_) {
    if (bad.to <= watermark_) {
      if (!bad.open_end) report_damage(bad, bad.to);
      continue;
    }
    if (bad.from < watermark_) report_damage(bad, watermark_);
    cut = std::max(bad.from, watermark_);
    if (bad.batch >= watermark_ && bad.batch != 0) {
      torn = true;
      cut = bad.batch;
    }
    torn |= bad.to != whole_log;
    break;
  }
  if (planted(bug::recovery_cuts_less)) cut = last_readable_;
  if (planted(bug::recovery_cuts_more)) cut = watermark_;
  report_.watermark = watermark_;
  report_.tail = cut;
  if (chain_.empty()) return;
  look_behind(cut);
  report_.cut_bytes = last_readable_ > cut ? last_readable_ - cut : 0;
  const segment* in = core_.segments.find(cut);
  std::array<std::byte, record_header_bytes> at_cut{};
  // In a file that was used before there is always something behind the records.
  if (in && !in->header.reused && in->file != 0 && cut + at_cut.size() <= in->limit() &&
      core_.files->read_now(in->file, cut - in->base(), at_cut).ok())
    torn |= !all_zero(at_cut);
  report_.torn = torn || report_.cut_bytes != 0;
  report_.other_boot = boot_of_numbers(cut) != core_.options.boot_id;
  cut_at(cut);
}

// Of which boot of the machine the last numbers are. An opening that ended before it numbered a
// message may have recorded nothing of the machine's start: its segment does not count. If none
// does, all numbers lie before the checkpoint. Zero, in a copy: of none, messages may be missing.
const bytes16_id& recovery::boot_of_numbers(std::uint64_t cut) const {
  const segment* of = chain_.front();
  for (const segment* in : chain_) {
    const auto block = first_blocks_.find(in->base());
    const bool numbered = block != first_blocks_.end() && block->second < cut;
    if (numbered || in->header.boot_id == bytes16_id{}) of = in;
  }
  return of->header.boot_id;
}

// Readable blocks behind the cut: the last batch that was synced before the crash is proven by no
// watermark, so their accepts may have left.
void recovery::look_behind(std::uint64_t cut) {
  constexpr std::size_t rows_max = 1024;
  for (const segment* in : chain_) {
    if (in->file == 0 || in->limit() <= cut || last_readable_ <= cut) continue;
    record_walker walker = walk(*in, std::max(cut, in->first_record()), in->limit());
    while (walker.resync()) {
      const walked found = walker.next();
      const record_head& head = found.header.head;
      auto& rows = report_.possibly;
      if (head.type != record_type::block) continue;
      if (!rows.empty() && rows.back().stream == head.stream &&
          rows.back().messages.end() == head.first_sequence)
        rows.back().messages.count += head.count;
      else if (rows.size() < rows_max)
        rows.push_back({head.stream, {head.first_sequence, head.count}, found.position});
    }
  }
}

void recovery::cut_at(std::uint64_t cut) {
  for (segment* in : chain_) {
    if (in->base() >= cut) in->in_log = false;
    if (in->contains(cut) || (in->limit() == cut)) in->end = std::max(cut, in->first_record());
  }
  // A missing stretch at the end: the log ends with the last segment that is there.
  std::erase_if(chain_, [](const segment* in) { return !in->in_log; });
}

gap_body recovery::cut() const noexcept {
  const std::uint64_t cause = !report_.torn ? 0 : report_.other_boot ? 2 : 1;
  return {report_.tail, std::max(report_.tail, last_readable_), report_.watermark, cause};
}

// ---- the new epoch
// -------------------------------------------------------------------------------

// After a crash of the process alone, what was found may be in memory only.
status recovery::make_durable() {
  std::vector<io_op> ops;
  for (const segment* in : chain_)
    if (in->file != 0 && in->end > watermark_)
      ops.push_back(make_op(io_op::kind::sync, in->file, 0));
  ops.push_back(make_sync_dir("seg", 0));
  ops.push_back(make_sync_dir("", 0));
  return run(std::move(ops));
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
  segment made;
  segment_header& header = made.header;
  header.journal_id = core_.id;
  header.epoch = core_.epoch;
  header.base = core_.segments.next_base();
  header.size = file.size;
  header.slot = file.slot;
  header.reused = file.reused;
  header.boot_id = core_.options.boot_id;
  header.previous_durable = true;
  header.time_ns = core_.now.real_ns;
  const segment* last = nullptr;
  for (const auto& s : core_.segments.all())
    if (s->in_log) last = s.get();
  if (last) {
    header.previous_slot = last->header.slot;
    header.previous_base = last->base();
    header.previous_end = last->end;
  }
  made.key = segment_key(core_.id, core_.epoch);
  made.file = file.file;
  core_.files->keep_open(made.file, true);
  made.end = made.first_record();
  ops.push_back(make_write(made.file, 0, bytes_of(header), 0));
  // In a file that was used before, one of the copies is whole at any moment: the second follows
  // the first sync, as in any segment.
  made.second_header = !header.reused;
  if (made.second_header)
    ops.push_back(make_write(made.file, segment_header_copy_at, bytes_of(header), 0));
  ops.push_back(make_op(io_op::kind::sync, made.file, 0));
  core_.active = &core_.segments.add(std::move(made));
  return run(std::move(ops));
}

// ---- replay
// --------------------------------------------------------------------------------------

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
      if (found.what != verdict::good) continue;
      ++report_.records;
      const record_head& head = found.header.head;
      in->mark(found.position);
      const bool relocated = (head.flags & record_flag::relocated) != 0;
      if (head.type == record_type::block) index_block(found, *in, relocated);
      if (is_own_record(head.type) || relocated) continue;  // relocated: known from before
      ++user_records_;
      batch.push_back({head, found.body, found.position});
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
