// What a work queue remembers across a stop: its checkpoint row and the replay of its records.
#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "patterns/queue/work_queue.hpp"
#include "patterns/range_list.hpp"

namespace holdfast {

void work_queue::replay(const record_view& record) {
  if (record.position < as_of_) return;
  switch (record.head.type) {
    case record_type::block: return replay_block(record);
    case record_type::group_ack:
      if (planted(bug::ack_not_replayed)) return;
      if (const auto r = decode_group_ack(record.body))
        for (const range& one : r->ranges) finish_range(one, r->how, 0);
      return;
    case record_type::group_fail:
      if (const auto r = decode_group_fail(record.body)) replay_fail(*r, record.head.time_ns);
      return;
    case record_type::group_dead:
      if (const auto r = decode_group_dead(record.body))
        for (const range& one : r->ranges) {
          const std::uint64_t before = counts_.dropped;
          finish_range(one, finish::dropped, 0);
          const std::uint64_t moved = counts_.dropped - before;
          counts_.dropped = before;
          counts_.dead += moved;
          if (moved) dead_.add({one, r->why, r->failed, record.head.time_ns, r->reason});
        }
      return;
    case record_type::group_handout:
      if (const auto r = decode_group_handout(record.body))
        handout_asked_ = std::max(handout_asked_, r->through);
      return;
    default: return;
  }
}

void work_queue::replay_block(const record_view& record) {
  const std::uint64_t first = record.head.first_sequence, count = record.head.count;
  const std::uint64_t next = backlog_.next_sequence();
  if (first < next) return;  // relocated, or in the row already
  if (marks_.used())
    marks_.append(next, first - next + count, record.body.size(), record.head.time_ns);
  backlog_.extend(first - next + count);
  counts_.in += first - next + count;
  counts_.ready += first - next + count;
  // What cannot be read is quarantined: gone, but its numbers are not given again.
  if (first > next) finish_range({next, first - next}, finish::dropped, 0);
  if (record.lost) finish_range({first, count}, finish::dropped, 0);
}

void work_queue::replay_fail(const group_fail_record& r, std::uint64_t asked_ns) {
  for (range one : r.ranges) {
    one = clip(one);
    std::vector<range> hit;
    const auto add = [&](std::uint64_t first, std::uint64_t end, const auto&) {
      hit.push_back({first, end - first});
    };
    backlog_.ready_again.carve(
        one.first, one.end(), [](const again&) { return true; }, add);
    const std::size_t from_ready = hit.size();
    for (std::size_t i = 0; i < from_ready; ++i) counts_.ready -= hit[i].count;
    backlog_.delayed.carve(
        one.first, one.end(), [](const later&) { return true; }, add);
    for (std::size_t i = from_ready; i < hit.size(); ++i) counts_.delayed -= hit[i].count;
    for (const range& h : hit) {
      backlog_.delayed.insert(h.first, h.end(), {r.failed, r.due_real_ns, asked_ns});
      counts_.delayed += h.count;
    }
    backlog_.for_each_fresh(one.first, one.end(), [&](std::uint64_t first, std::uint64_t end) {
      backlog_.delayed.insert(first, end, {r.failed, r.due_real_ns, asked_ns});
      counts_.ready -= end - first;
      counts_.delayed += end - first;
    });
  }
}

void work_queue::start(instant at) {
  started_ = true;
  backlog_.start(handout_asked_, at);
  // A crash may have kept a message and lost the mark that was asked for with it.
  if (backlog_.next_out() < next_sequence()) note_handout(at);
  if (marks_.used()) adopt_unmarked(at);
  tell_finished();
}

/// The log remembers only up to where everything is finished, so each life tells it anew what is.
/// Dead letters are finished for the queue, but their bodies stay.
void work_queue::tell_finished() {
  std::vector<range> kept;
  for (const dead_letter& letter : dead_.all()) kept.push_back(letter.messages);
  sort_and_merge(kept);
  auto next_kept = kept.begin();
  const std::uint64_t limit = backlog_.next_sequence();
  const auto tell = [&](std::uint64_t first, std::uint64_t end) {
    if (first < end) out_.pending().settled.emplace_back(def_.stream, range{first, end - first});
  };
  for (std::uint64_t at = backlog_.done.next_done(1, limit); at < limit;) {
    const std::uint64_t end = std::min(backlog_.done.next_open(at), limit);
    for (; next_kept != kept.end() && next_kept->first < end; ++next_kept) {
      tell(at, next_kept->first);
      at = next_kept->end();
    }
    tell(at, end);
    at = backlog_.done.next_done(end, limit);
  }
}

// u32 stream, u64 next sequence, u64 hand-out mark, 9 x u64 counters, cursor, failed runs, dead
// letters, u64 realtime of the row; if any were, u64 dropped by retention.
void work_queue::snapshot(state_writer& rows, instant at) const {
  rows.begin(row_kind::queue);
  rows.u32(def_.stream);
  rows.u64(backlog_.next_sequence());
  rows.u64(handout_asked_);
  for (const std::uint64_t figure :
       {counts_.acked, counts_.settled, counts_.expired, counts_.dead, counts_.redriven,
        counts_.purged, counts_.dropped, redelivered_, late_acks_})
    rows.u64(figure);
  backlog_.done.write(rows);
  write_failed(rows, at);
  dead_.write(rows);
  rows.u64(at.real_ns);
  if (dropped_by_retention_ != 0) rows.u64(dropped_by_retention_);
  rows.end();
  if (!marks_.used()) return;
  rows.begin(row_kind::queue_marks);
  rows.u32(def_.stream);
  marks_.write(rows);
  rows.end();
}

/// Runs that failed at least once, wherever they are: {first, count, failed, due realtime}.
void work_queue::write_failed(state_writer& row, instant at) const {
  struct failed_row {
    std::uint64_t first, end, due_real;
    std::uint16_t failed;
  };
  std::vector<failed_row> list;
  for (const auto& [first, run] : leases_.held())
    if (run.value.failed) list.push_back({first, run.end, 0, run.value.failed});
  for (const auto& [first, run] : backlog_.ready_again)
    if (run.value.failed) list.push_back({first, run.end, 0, run.value.failed});
  for (const auto& [first, run] : backlog_.delayed) {
    const std::uint64_t due = run.value.due_ns;
    list.push_back(
        {first, run.end, at.real_ns + (due > at.now_ns ? due - at.now_ns : 0), run.value.failed});
  }
  row.u32(static_cast<std::uint32_t>(list.size()));
  for (const failed_row& f : list) {
    row.u64(f.first);
    row.u64(f.end - f.first);
    row.u16(f.failed);
    row.u64(f.due_real);
  }
}

void work_queue::restore_row(state_reader& row, std::uint64_t as_of) {
  as_of_ = as_of;
  backlog_.restore(row.u64());
  handout_asked_ = row.u64();
  for (std::uint64_t* figure :
       {&counts_.acked, &counts_.settled, &counts_.expired, &counts_.dead, &counts_.redriven,
        &counts_.purged, &counts_.dropped, &redelivered_, &late_acks_})
    *figure = row.u64();
  if (!backlog_.done.read(row)) return;
  const std::uint32_t failed_runs = row.u32();
  for (std::uint32_t i = 0; i < failed_runs && !row.failed(); ++i) {
    const std::uint64_t first = row.u64(), count = row.u64();
    const std::uint16_t failed = row.u16();
    backlog_.delayed.insert(first, first + count, {failed, row.u64()});
    counts_.delayed += count;
  }
  dead_.read(row);
  note_time_of_row(row.left() >= 8 ? row.u64() : 0);
  if (row.left() >= 8) dropped_by_retention_ = row.u64();
  counts_.in = backlog_.next_sequence() - 1;
  backlog_.for_each_fresh(1, backlog_.next_sequence(), [&](std::uint64_t first, std::uint64_t end) {
    counts_.ready += end - first;
  });
}

/// Failed runs of a row were reckoned when it was written.
void work_queue::note_time_of_row(std::uint64_t real_ns) {
  row_real_ns_ = real_ns;
  for (const auto& [first, run] : std::exchange(backlog_.delayed, {}))
    backlog_.delayed.insert(first, run.end, {run.value.failed, run.value.due_ns, real_ns});
}

identity work_queue::audit() {
  identity walked;
  for (const auto& [first, run] : leases_.held())
    (run.value.in_doubt ? walked.in_doubt : walked.in_flight) += run.end - first;
  for (const auto& [first, run] : backlog_.ready_again) walked.ready += run.end - first;
  for (const auto& [first, run] : backlog_.delayed) walked.delayed += run.end - first;
  backlog_.for_each_fresh(1, backlog_.next_sequence(), [&](std::uint64_t first, std::uint64_t end) {
    walked.ready += end - first;
  });
  std::uint64_t open = 0;
  for (std::uint64_t at = floor(); at < backlog_.next_sequence();) {
    const std::uint64_t first = backlog_.done.next_open(at);
    if (first >= backlog_.next_sequence()) break;
    at = backlog_.done.next_done(first, backlog_.next_sequence());
    open += at - first;
  }
  walked.in = backlog_.next_sequence() - 1;
  walked.acked = walked.in - open;
  return walked;
}

void work_queue::report(stream_stats& into) const {
  into.address = def_.address;
  into.stream = def_.stream;
  into.next_sequence = backlog_.next_sequence();
  into.ack_floor = backlog_.done.floor();
  into.counts = counts_;
  into.dropped_by_retention = dropped_by_retention_;
  into.redelivered = redelivered_;
  into.late_acks = late_acks_;
  constexpr const char* kinds[] = {"reliable", "separate", "shared", "ack_back", "worker"};
  for (const auto& [id, c] : consumers_.all())
    into.consumers.push_back({c.name, kinds[static_cast<std::size_t>(c.kind)], c.in_flight,
                              c.in_doubt, c.in_doubt_max, c.in_doubt_bytes_min, c.messages_taken});
}

}  // namespace holdfast
