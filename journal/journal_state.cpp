#include "journal/journal_state.hpp"

#include <array>
#include <utility>

#include "journal/mapping.hpp"
#include "journal/recovery.hpp"

namespace holdfast {
namespace {

/// So many segments that wait for a checkpoint are worth one of their own.
constexpr std::uint64_t crowd = 2;

}  // namespace

journal::state::state(std::unique_ptr<storage> files, journal_options options)
    : shared(std::move(files), std::move(options)),
      spares(shared),
      writer(shared, spares),
      checkpoints(shared, writer),
      windows(shared),
      backlog(shared, windows),
      keeper(shared, windows, spares),
      mover(shared, writer, windows, spares),
      indexer(shared, spares) {}
journal::state::~state() = default;

void journal::state::take_in(const io_result& done) {
  const bool quiet = is_told(done) || is_given_up(done);
  const bool refused = spares.refused() != 0;
  const std::uint32_t rewrites = writer.rewrites();
  pass_on(done);
  if (refused && spares.refused() == 0) said.note_made();
  const bool bad = done.error != 0 || !done.text.empty();
  if (!bad || quiet) return;
  const auto after = shared.failed                   ? troubles::outcome::failed
                     : writer.rewrites() != rewrites ? troubles::outcome::rewritten
                                                     : troubles::outcome::one_copy;
  said.note(done, after, shared.now.now_ns);
}

// What follows from a failure that was told already is not told again.
bool journal::state::is_told(const io_result& done) const noexcept {
  const asker who = asker_of(done.tag);
  return shared.failed || (who == asker::log && writer.is_past(done)) ||
         ((who == asker::spare || who == asker::removal) && done.error == spares.refused());
}

// A file that was freed meanwhile could not be read: nobody waits for it.
bool journal::state::is_given_up(const io_result& done) const noexcept {
  const asker who = asker_of(done.tag);
  return (who == asker::index && indexer.is_past(done)) ||
         (who == asker::load && windows.is_past(done));
}

void journal::state::pass_on(const io_result& done) {
  switch (asker_of(done.tag)) {
    case asker::log: writer.on_result(done); return;
    case asker::spare:
      if (spares.on_result(done)) writer.on_lost_file(done);
      return;
    case asker::checkpoint: checkpoints.on_result(done); return;
    case asker::load: windows.on_result(done); return;
    case asker::index: indexer.on_result(done); return;
    case asker::removal: spares.note_removed(); return;
    case asker::recovery: return;
  }
}

void journal::state::adopt_or_remove_unused() {
  for (const recovery::unused_file& f : opening->unused()) {
    const auto slot = static_cast<std::uint32_t>(segment_slot(f.name));
    const result<file_id> opened = shared.files->open_file(f.name);
    if (opened.ok() && spares.adopt({slot, *opened, f.size, true, f.reused})) continue;
    if (opened.ok()) shared.files->close_file(*opened);
    shared.remove_segment_file(slot, f.size);
  }
}

// What emptied a segment before this start is not known: a move needs the older checkpoint gone.
void journal::state::mark_emptied() {
  for (const auto& s : shared.segments.all()) {
    if (!s->in_log || !s->rows_known || s->live_rows != 0 || s.get() == shared.active) continue;
    s->drained = true;
    s->freed_at = shared.next_position;
  }
}

void journal::state::go_live() {
  std::array<std::byte, gap_body_bytes> body;
  encode_gap_body(opening->cut(), body);
  adopt_or_remove_unused();
  for (const std::uint32_t slot : opening->left_alone()) shared.remove_index_file(slot);
  opening.reset();
  live = true;
  writer.start(*shared.active);
  mark_emptied();
  writer.append_own(record_type::gap, copy_to_buffer(body));
  checkpoints.prepare();
  spares.refill();
}

marks journal::state::turn() {
  shared.now = shared.options.clock();
  results_.clear();
  ++shared.turn;
  windows.begin_turn();
  shared.files->poll(results_);
  for (const io_result& done : results_) take_in(done);
  for (const std::string& lost : take_lost_places()) said.note_lost(lost);
  writer.on_time();
  windows.on_time();
  if (writer.rewrites() != rewrites_seen_) {
    rewrites_seen_ = writer.rewrites();
    checkpoints.abort();
    mover.restart();
  }
  if (live && writer.waits_for_file() == 0 && mover.step())
    checkpoints.note_append(shared.active->header.oversize);
  if (live) indexer.step();
  checkpoints.advance();
  keeper.sweep();
  checkpoints.set_pressed(keeper.waiting() != 0 && spares.full());
  checkpoints.set_crowded(keeper.waiting() >= crowd);
  spares.refill();
  shared.tail.shrink(shared.options.tail_bytes, shared.synced_position);
  return writer.now_at();
}

}  // namespace holdfast
