#include "journal/recovery.hpp"

#include <algorithm>
#include <cstring>

#include "base/random.hpp"
#include "journal/segment_index.hpp"

namespace holdfast {

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
  if (status done = check_whole(); !done) return done;
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

// Only a log that is whole makes up for all checkpoints: what was used again told which streams
// there are and what was settled. To go on would throw away what the rest of it holds.
status recovery::check_whole() const {
  if (have_checkpoint_ || !report_.checkpoint_damaged || bad_.empty()) return {};
  return {
      errc::corrupt,
      "no checkpoint can be read, and the log is not there from its beginning on (the latest "
      "hole ends at position " +
          std::to_string(bad_.front().to) +
          "), so that it is not known what its messages belong to; nothing was changed: restore "
          "a copy, or read the messages with `holdfast journal cat` and move the directory "
          "aside to begin anew"};
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

}  // namespace holdfast
