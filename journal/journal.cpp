#include "journal/journal.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "journal/journal_state.hpp"
#include "journal/recovery.hpp"

namespace holdfast {

journal::journal(std::unique_ptr<state> parts) : state_(std::move(parts)) {}
journal::~journal() = default;

bytes_view journal::checkpoint_rows() const noexcept {
  return state_->opening ? state_->opening->pattern_rows() : bytes_view{};
}

status journal::replay(const std::function<void(std::span<const record_view>)>& take) {
  check(state_->opening != nullptr, "a journal is replayed once, after open");
  status done = state_->opening->replay(take);
  if (done.ok()) state_->go_live();
  return done;
}

room journal::available() const noexcept {
  const core& shared = state_->shared;
  if (shared.failed) return {.failed = true};
  room left = state_->spares.disk_room();
  if (state_->writer.waits_for_file() != 0) left.message_bytes = left.reply_bytes = 0;
  const std::uint64_t unsynced = state_->writer.unsynced_bytes();
  const std::uint64_t budget = shared.options.memory_budget;
  // With nothing else outstanding one permitted message passes, whatever the budget.
  const std::uint64_t memory = unsynced == 0 ? std::max(budget, shared.options.record_bytes_max)
                                             : budget - std::min(budget, unsynced);
  left.message_bytes = std::min(left.message_bytes, memory);
  left.reply_bytes = std::min(left.reply_bytes, memory);
  return left;
}

ticket journal::append(std::span<append_item> items) noexcept {
  check(state_->live, "records are appended after replay");
  const core& shared = state_->shared;
  const ticket last = state_->writer.append(items);
  state_->checkpoints.note_append(shared.active->header.oversize);
  return last;
}

marks journal::progress() noexcept {
  return state_->turn();
}

std::vector<std::string> journal::take_troubles() {
  return state_->said.take();
}

fetched journal::read(stream_id stream, std::uint64_t from, read_limits limits,
                      std::vector<block>& out) {
  core& shared = state_->shared;
  const stream_rows* of = shared.index.find(stream);
  if (!of || from >= of->next) return {fetch::end, {}};
  tail_cache& tail = shared.tail;
  const ticket written = state_->writer.now_at().written;
  std::uint64_t at = tail.find(stream, from);
  if (at == tail.end_ordinal()) {
    const std::uint64_t until = std::min(of->next, tail.first_sequence(stream, from));
    const index_row* row = block_index::row_for(*of, from);
    const bool known = row && row->first <= from;
    if (!known && shared.index.incomplete()) return {fetch::pending, {}};
    return state_->backlog.read({stream, from, until, limits}, out);
  }
  std::uint64_t bytes = 0;
  std::uint64_t next = from;
  while (at != tail.end_ordinal()) {
    const placed& record = tail.at(at);
    if (record.number > written || record.head.first_sequence > next) break;
    if (next != from && (next - from >= limits.messages || bytes >= limits.bytes)) break;
    out.push_back(to_block(record.head, record.body));
    bytes += record.body.size();
    next = record.head.first_sequence + record.head.count;
    at = tail.next_of(stream, at);
  }
  return {next == from ? fetch::end : fetch::ok, {}};
}

void journal::settle(stream_id stream, std::span<const range> ranges) {
  for (const range& what : ranges)
    state_->shared.index.settle(stream, {what.first, what.count + planted(bug::settles_one_more)});
}

void journal::trim(stream_id stream, std::uint64_t to) {
  state_->shared.index.trim(stream, to);
}

std::uint64_t journal::next_position() const noexcept {
  return state_->shared.next_position;
}

std::uint64_t journal::next_deadline() const noexcept {
  if (state_->shared.sweep_wanted) return 0;  // settled since the last turn
  const bool waits = state_->writer.waits_for_file() != 0;
  return std::min({state_->writer.deadline(), state_->checkpoints.deadline(),
                   state_->spares.deadline(), state_->windows.deadline(),
                   state_->indexer.deadline(), waits ? never_ns : state_->mover.deadline()});
}

int journal::wake_fd() const noexcept {
  return state_->shared.files->wake_fd();
}

void journal::before_sleep() noexcept {
  state_->shared.files->before_sleep();
}

bool journal::checkpoint_due() const noexcept {
  return state_->checkpoints.due();
}
bool journal::begin_checkpoint() {
  return state_->live && state_->checkpoints.begin();
}
void journal::add_checkpoint_rows(bytes_view rows) {
  state_->checkpoints.add(rows);
}
void journal::finish_checkpoint() {
  state_->checkpoints.finish();
}
bool journal::checkpoint_running() const noexcept {
  return state_->checkpoints.running();
}

status journal::flush() {
  const core& shared = state_->shared;
  state_->turn();
  state_->writer.sync_all();
  while (!shared.failed && (!state_->writer.all_synced() || state_->checkpoints.closing())) {
    if (const int why = state_->writer.waits_for_file())
      return {errc::io, "the last records of the journal wait for a file that cannot be made (" +
                            std::string(std::strerror(why)) +
                            "); they were not accepted, make it possible and start again"};
    shared.files->wait();
    state_->turn();
    state_->writer.sync_all();
  }
  return shared.failed ? shared.failure.copy() : status{};
}

status journal::close() {
  status done = flush();
  state_->live = false;  // nothing is moved any more
  if (done.ok() && state_->writer.all_synced()) {
    state_->writer.append_closed();
    done = flush();
  }
  state_->shared.files.reset();
  return done;
}

journal_stats journal::stats() const {
  const core& shared = state_->shared;
  journal_stats now = shared.stats;
  now.epoch = shared.epoch;
  now.segments = shared.segments.all().size();
  now.spare_segments = state_->spares.count();
  now.disk_bytes = shared.disk_used;
  now.unsynced_bytes = state_->writer.unsynced_bytes();
  now.tail_bytes = shared.tail.bytes();
  now.index_rows = shared.index.row_count();
  for (const auto& s : shared.segments.all()) now.live_bytes += s->live_bytes;
  now.held = state_->writer.waits_for_file() != 0;
  now.full = state_->spares.full() || now.held;
  return now;
}

result<std::unique_ptr<journal>> open_journal(std::unique_ptr<storage> files,
                                              journal_options options, open_report& report) {
  report = {};
  const std::uint64_t size = options.segment_bytes;
  if (size < segment_bytes_min || size > segment_bytes_max || size % file_unit != 0)
    return {errc::invalid, "segment size " + std::to_string(size) +
                               " is not between 16 KiB and 1 GiB in steps of 4 KiB"};
  auto parts = std::make_unique<journal::state>(std::move(files), std::move(options));
  parts->shared.now = parts->shared.options.clock();
  parts->opening = std::make_unique<recovery>(parts->shared, parts->checkpoints, report);
  if (status opened = parts->opening->open(); !opened) return opened;
  return std::unique_ptr<journal>(new journal(std::move(parts)));
}

}  // namespace holdfast
