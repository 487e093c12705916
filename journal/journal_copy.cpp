#include "journal/journal_copy.hpp"

#include <algorithm>
#include <utility>

#include "journal/chain_copy.hpp"
#include "journal/lock_file.hpp"

namespace holdfast {
namespace {

// Without the slashes at the end, which would name the inside of the directory.
std::string plain(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

journal_copy::journal_copy(std::string source, const std::string& target,
                           const backup_options& options)
    : source_(plain(std::move(source))),
      view_(source_),
      target_(plain(target)),
      options_(options),
      copies_(source_, target_.copying()) {}

result<bool> journal_copy::gather() {
  copies_.need_none();
  outcome_.live |= journal_in_use(source_);
  ++outcome_.tries;
  if (status found = view_.find_checkpoint(); !found) return found;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  outcome_.remarks = view_.remarks();
  if (status copied = copy_old(); !copied) return copied;
  chain_copy chain(source_, view_, copies_, options_);
  auto copied = chain.copy();
  limit_ = chain.limit();
  return copied;
}

// Segments below the checkpoint do not change any more. One that is not there was freed by records
// that lie below the position, because that is chosen after this.
status journal_copy::copy_old() {
  const std::vector<listed_segment>& all = view_.checkpoint().segments;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const listed_segment& listed = all[i];
    if (options_.before_segment) options_.before_segment(listed.header);
    segment_copy& copy = copies_.of(listed.header);
    auto copied = copy.copy_to(listed.end);
    if (!copied) return copied.take_status();
    if (*copied == segment_copy::outcome::gone)
      copies_.forget(listed.header.base);
    else
      copies_.need(listed.header.base);
  }
  return {};
}

status journal_copy::cut_at_limit() {
  auto beyond = copies_.cut(limit_);
  if (!beyond) return beyond.take_status();
  outcome_.beyond += *beyond;
  segment_copy& last = copies_.at(copies_.needed().back());
  outcome_.note.position = last.end();
  return last.prove(options_.clock().real_ns);
}

status journal_copy::write_segment(segment_copy& from, bool last) {
  segment_header header = from.header();
  header.spare = header.reused = false;
  // What the device numbered behind the position is unknown, as after a loss of power.
  if (last) header.boot_id = {};
  if (status done = from.finish(header); !done) return done;
  return rename_file(from.path(), target_.whole() + "/" + segment_name(header.slot));
}

status journal_copy::write_checkpoint() {
  if (!view_.has_checkpoint()) return {};
  return write_file_synced(target_.whole() + "/" + view_.checkpoint_name(),
                           view_.checkpoint_bytes());
}

status journal_copy::write_out() {
  if (status cut = cut_at_limit(); !cut) return cut;
  copies_.drop_what_is_not_needed();
  if (status made = target_.make_whole(); !made) return made;
  backup_note& note = outcome_.note;
  for (const std::uint64_t base : copies_.needed()) {
    segment_copy& copy = copies_.at(base);
    if (status put = write_segment(copy, base == copies_.needed().back()); !put) return put;
    note.id = copy.header().journal_id;
    note.epoch = std::max(note.epoch, copy.header().epoch);
    note.end = copy.end();
    note.totals.add(copy.totals());
  }
  note.segments = copies_.needed().size();
  note.checkpoint = view_.checkpoint().header.number;
  note.time_ns = options_.clock().real_ns;
  return write_checkpoint();
}

status journal_copy::write_note() {
  const std::string text = write_backup_note(outcome_.note);
  return write_file_synced(target_.whole() + "/" + backup_note_name,
                           as_bytes_view(text.data(), text.size()));
}

}  // namespace holdfast
