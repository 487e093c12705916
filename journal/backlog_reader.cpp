#include "journal/backlog_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/checksum.hpp"
#include "journal/mapping.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t window_bytes = 1ull << 20;
constexpr std::size_t windows_max = 64;
constexpr std::uint64_t patience_turns = 4;  // who waits for a window asks in every turn
constexpr int sighting_records_max = 4096;
constexpr std::uint64_t ask_again_ns = 100 * ms_ns;

// What of a segment can be loaded: the rest of the active one is not written yet.
std::uint64_t readable_end(const core& shared, const segment& in) noexcept {
  return shared.synced_position > in.base() ? std::min(in.end, shared.synced_position) : in.end;
}

fetched pending_or_ok(bool some) {
  return {some ? fetch::ok : fetch::pending, {}};
}

}  // namespace

backlog_reader::window* backlog_reader::find(const segment& in, std::uint64_t position,
                                             std::uint64_t size) {
  for (window& w : windows_)
    if (w.segment == in.base() && position >= w.from && position + size <= w.from + w.size)
      return &w;
  return nullptr;
}

backlog_reader::window* backlog_reader::load(const segment& in, std::uint64_t position,
                                             std::uint64_t size) {
  window* into = free_window();
  if (!into) return nullptr;
  window& made = *into;
  made = {};
  made.segment = in.base();
  made.from = position;
  made.size = std::min(std::max(window_bytes, size), readable_end(core_, in) - position);
  made.tag = next_tag_++;
  made.loading = true;
  ask(made, in);
  return into;
}

// The one that was used longest ago, of those that nobody waits for; null if there is none.
backlog_reader::window* backlog_reader::free_window() {
  if (windows_.size() < windows_max) return &windows_.emplace_back();
  window* oldest = nullptr;
  for (window& w : windows_) {
    const bool awaited = !w.read && turn_ - w.asked_in <= patience_turns;
    if (!awaited && (!oldest || w.used < oldest->used)) oldest = &w;
  }
  turned_away_ |= oldest == nullptr;
  return oldest;
}

// Null while it has to be waited for.
backlog_reader::window* backlog_reader::find_or_load(const segment& in, std::uint64_t position,
                                                     std::uint64_t size) {
  window* w = find(in, position, size);
  if (!w) w = load(in, position, size);
  if (!w) return nullptr;
  w->used = ++clock_;
  w->asked_in = turn_;
  w->read = !w->loading;
  return w->loading ? nullptr : w;
}

void backlog_reader::begin_turn() noexcept {
  ++turn_;
  turned_away_ = false;
}

void backlog_reader::ask(const window& what, const segment& in) {
  io_op op = make_op(io_op::kind::load, in.file, make_tag(asker::load, what.tag));
  op.at = what.from - in.base();
  op.size = what.size;
  core_.submit(std::move(op));
  ++core_.stats.loads;
}

void backlog_reader::on_time() {
  if (core_.now.now_ns < again_at_) return;
  again_at_ = never_ns;
  for (window& w : windows_)
    if (const segment* in = core_.segments.find(w.from); in && std::exchange(w.put_off, false))
      ask(w, *in);
}

void backlog_reader::on_result(const io_result& done) {
  for (window& w : windows_) {
    if (w.tag != number_of(done.tag)) continue;
    if (want_of_descriptors(done.error)) {
      w.put_off = true;
      again_at_ = core_.now.now_ns + ask_again_ns;
      return;
    }
    w.loading = false;
    w.bad = done.error != 0 || !core_.segments.find(w.from);
    if (!w.bad) w.bytes = done.bytes;
    return;
  }
}

std::uint64_t backlog_reader::deadline() const noexcept {
  const bool loading =
      std::any_of(windows_.begin(), windows_.end(), [](const window& w) { return w.loading; });
  return turned_away_ && !loading ? 0 : again_at_;
}

void backlog_reader::forget(std::uint64_t base) {
  std::erase_if(windows_, [base](const window& w) { return w.segment == base; });
}

backlog_reader::look backlog_reader::look_at(const segment& in, std::uint64_t position,
                                             stream_id wanted, std::uint64_t from) {
  const map_guard guarded;
  look found;
  std::uint64_t size = record_header_bytes;
  if (position + size > readable_end(core_, in)) return {seen::corrupt_header, {}, {}};
  for (;;) {
    const window* w = find_or_load(in, position, size);
    if (!w) return found;
    if (w->bad) return {seen::unreadable, {}, {}};
    const bytes_view bytes = w->bytes.bytes().subspan(position - w->from);
    const auto header = decode_record_header(bytes, in.key, position);
    if (!header || position + record_size(header->body_len) > readable_end(core_, in))
      return {seen::corrupt_header, {}, {}};
    found.header = *header;
    const record_head& head = header->head;
    if (head.stream != wanted || head.type != record_type::block ||
        head.first_sequence + head.count <= from) {
      found.what = seen::good;
      return found;
    }
    size = record_header_bytes + header->body_len;
    if (bytes.size() < size) continue;
    found.record = w->bytes.slice(position - w->from, size);
    const bool right =
        checksum(bytes.subspan(record_header_bytes, header->body_len)) == head.body_sum;
    found.what = right ? seen::good : seen::corrupt_body;
    return found;
  }
}

std::uint64_t backlog_reader::resync(const segment& in, std::uint64_t position) {
  const map_guard guarded;
  for (std::uint64_t at = position; at + record_header_bytes <= readable_end(core_, in);
       at += record_unit) {
    const window* w = find_or_load(in, at, record_header_bytes);
    if (!w) return 0;
    if (w->bad) {
      at = w->from + w->size - record_unit;  // nothing in it can be read
      continue;
    }
    if (decode_record_header(w->bytes.bytes().subspan(at - w->from), in.key, at)) return at;
  }
  return readable_end(core_, in);
}

// Where to begin looking for `from`: where sequential reading stands, or by the segment's marks; 0
// while something has to be loaded first.
std::uint64_t backlog_reader::start_position(const segment& in, const stream_rows& of,
                                             const index_row& row, std::uint64_t from) {
  const bool hinted = of.hint_sequence <= from && of.hint_sequence > row.first &&
                      of.hint_sequence <= row.last() && of.hint_position > row.position &&
                      in.contains(of.hint_position);
  if (hinted && from == of.hint_sequence) return of.hint_position;
  std::uint64_t best = hinted ? of.hint_position : row.position;
  std::size_t low = 0;
  std::size_t high = in.marks.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const std::uint64_t mark = in.base() + in.marks[middle] * record_unit;
    if (in.marks[middle] == 0 || mark <= best) {
      low = middle + 1;
      continue;
    }
    const sighting at = first_of(in, mark, row, of, from);
    if (at == sighting::pending) return 0;
    if (at == sighting::before) {
      best = mark;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

// Whether the stream's first block at or behind `position` begins at or before `from`. Looks only
// so far: not knowing means beginning further ahead, which is right too.
backlog_reader::sighting backlog_reader::first_of(const segment& in, std::uint64_t position,
                                                  const index_row& row, const stream_rows& of,
                                                  std::uint64_t from) {
  for (int i = 0; i < sighting_records_max && position < readable_end(core_, in); ++i) {
    const look found = look_at(in, position, no_stream);
    if (found.what == seen::pending) return sighting::pending;
    if (found.what != seen::good) return sighting::unknown;
    const record_head& head = found.header.head;
    // Relocated messages and later ones of the same stream may lie in one segment.
    const bool of_row = head.first_sequence <= row.last() &&
                        head.first_sequence + head.count > row.first &&
                        of.unfinished(head.first_sequence, head.first_sequence + head.count) != 0;
    if (head.type == record_type::block && of_row && core_.index.find(head.stream) == &of)
      return head.first_sequence <= from ? sighting::before : sighting::unknown;
    position += record_size(found.header.body_len);
  }
  return sighting::unknown;
}

fetched backlog_reader::read(const request& what, std::vector<block>& out) {
  stream_rows* of = core_.index.find(what.stream);
  if (!of) return {fetch::end, {}};
  const index_row* row = block_index::row_for(*of, what.from);
  if (!row) return {fetch::gap, {what.from, what.until - what.from}};
  if (row->first > what.from)
    return {fetch::gap, {what.from, std::min(row->first, what.until) - what.from}};
  const segment* in = core_.segments.find(row->position);
  if (!in || in->file == 0) return {fetch::gap, {what.from, row->end() - what.from}};
  const std::uint64_t at = start_position(*in, *of, *row, what.from);
  if (at == 0) return {fetch::pending, {}};
  fetched got = read_row(what, *of, *row, at, out);
  // A message that was moved twice may lie twice in a segment, and only the first place counts.
  if (got.outcome == fetch::gap && at != row->position)
    got = read_row(what, *of, *row, row->position, out);
  if (got.outcome == fetch::gap) ++core_.stats.corrupt;
  return got;
}

fetched backlog_reader::read_row(const request& what, stream_rows& of, const index_row& row,
                                 std::uint64_t at, std::vector<block>& out) {
  const segment* in = core_.segments.find(row.position);
  const std::uint64_t row_end = std::min(row.end(), what.until);
  std::uint64_t from = what.from;
  std::uint64_t bytes = 0;
  const auto lost = [&](std::uint64_t to) {
    if (from != what.from) return fetched{fetch::ok, {}};
    return fetched{fetch::gap, {from, to - from}};
  };
  while (from < row_end) {
    if (from != what.from &&
        (from - what.from >= what.limits.messages || bytes >= what.limits.bytes))
      break;
    if (at >= readable_end(core_, *in)) return lost(row.end());
    const look found = look_at(*in, at, what.stream, from);
    if (found.what == seen::pending) return pending_or_ok(from != what.from);
    if (found.what == seen::corrupt_header || found.what == seen::unreadable) {
      const std::uint64_t next = resync(*in, at + record_unit);
      if (next == 0) return pending_or_ok(from != what.from);
      at = next;
      continue;
    }
    const record_head& head = found.header.head;
    const std::uint64_t record_at = at;
    at += record_size(found.header.body_len);
    if (head.type != record_type::block || head.stream != what.stream) continue;
    const std::uint64_t end = head.first_sequence + head.count;
    if (end <= from || head.first_sequence > row.last()) continue;
    if (head.first_sequence > from) {
      // What follows one another by sequence and place are the messages that are not finished.
      if (of.unfinished(head.first_sequence, end) == 0) continue;
      of.hint_sequence = head.first_sequence;
      of.hint_position = record_at;
      return lost(head.first_sequence);
    }
    of.hint_sequence = end;
    of.hint_position = at;
    if (found.what == seen::corrupt_body) return lost(end);
    out.push_back(to_block(head, found.record.slice(record_header_bytes, found.header.body_len)));
    bytes += found.header.body_len;
    from = end;
  }
  return {fetch::ok, {}};
}

}  // namespace holdfast
