// Which records are the log: the walk over all of them, and what bad places mean.
#include <algorithm>

#include "base/planted.hpp"
#include "journal/recovery.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t whole_log = ~std::uint64_t{0};

}  // namespace

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
  note_losses();
}

void recovery::note_losses() {
  if (!report_.damaged.empty())
    report_.notes.push_back(std::to_string(report_.damaged.size()) +
                            " places of the log are damaged, the first at position " +
                            std::to_string(report_.damaged.front().position) +
                            ": what lay there is gone, the rest is delivered; `holdfast journal "
                            "verify` lists them");
  if (report_.possibly.empty()) return;
  std::uint64_t messages = 0;
  for (const possibly_accepted& row : report_.possibly) messages += row.messages.count;
  report_.notes.push_back("the log was cut at position " + std::to_string(report_.tail) +
                          ", behind what cannot be read; behind that lay " +
                          std::to_string(messages) +
                          " messages: those that were accepted are lost, restore them from a copy "
                          "if there is one");
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

}  // namespace holdfast
