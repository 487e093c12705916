// What a pub/sub channel remembers across a stop: checkpoint rows and the replay of its records.
#include <algorithm>

#include "patterns/pubsub/pubsub.hpp"

namespace holdfast {

void pubsub::restore(state_reader& rows) {
  while (rows.next()) {
    if (restore_row(rows, [&](stream_id stream) { return mine(stream); })) continue;
    const row_kind kind = rows.kind();
    if (kind != row_kind::history_marks && kind != row_kind::history &&
        kind != row_kind::subscription)
      continue;
    if (!mine(rows.u32())) continue;
    if (kind == row_kind::history_marks) {
      kept_.read_marks(rows);
    } else if (kind == row_kind::history) {
      subs_.raise_number(rows.u32());
      kept_.read_ends(rows);
    } else {
      restore_subscription(rows);
    }
  }
}

// u32 stream, u32 number, u64 born, u64 since, text name, u64 floor, 4 x u64 counters (acked,
// settled, passed over, dropped), u32 prefixes, texts.
void pubsub::restore_subscription(state_reader& row) {
  subscription_ack_record at;
  at.number = row.u32();
  const std::uint64_t born = row.u64();
  at.since_ns = row.u64();
  std::string name(row.text());
  for (std::uint64_t* figure : {&at.floor, &at.acked, &at.settled, &at.passed, &at.dropped})
    *figure = row.u64();
  std::vector<std::string> prefixes;
  const std::uint32_t count = row.u32();
  for (std::uint32_t i = 0; i < count && !row.failed(); ++i) prefixes.emplace_back(row.text());
  if (row.failed() || name.empty()) return;
  subs_.add(at.number, "durable", name, born, at.since_ns, prefixes).restore(at, row.as_of());
}

void pubsub::write_subscription(state_writer& rows, const subscription& s) const {
  const subscription_def_record about = s.definition();
  const subscription_ack_record at = s.progress();
  rows.begin(row_kind::subscription);
  rows.u32(stream_);
  rows.u32(about.number);
  rows.u64(about.born);
  rows.u64(at.since_ns);
  rows.text(about.name);
  for (const std::uint64_t figure : {at.floor, at.acked, at.settled, at.passed, at.dropped})
    rows.u64(figure);
  rows.u32(static_cast<std::uint32_t>(about.prefixes.size()));
  for (const std::string& prefix : about.prefixes) rows.text(prefix);
  rows.end();
}

void pubsub::replay(std::span<const record_view> records) {
  for (const record_view& r : records) {
    const bool of_stream = r.head.stream != no_stream && r.head.type != record_type::stream_def;
    if (of_stream && !mine(r.head.stream)) continue;
    if (of_stream) replay_record(r);
    replay_front(r);
  }
}

void pubsub::replay_record(const record_view& r) {
  switch (r.head.type) {
    case record_type::block:
      return kept_.replay(r.head.first_sequence, r.head.count, r.body.size(), r.head.time_ns);
    case record_type::trim:
      if (const auto to = decode_trim(r.body)) kept_.trim(*to);
      return;
    case record_type::subscription_def: {
      const auto def = decode_subscription_def(r.body);
      if (!def) return;
      subscription* s = subs_.find(def->number);
      if (!s)
        subs_.add(def->number, "durable", def->name, def->born, def->since_ns, def->prefixes);
      else if (r.position >= s->as_of())
        s->replay(*def);
      return;
    }
    case record_type::subscription_ack:
      if (const auto ack = decode_subscription_ack(r.body))
        if (subscription* s = subs_.find(ack->number)) s->replay(*ack);
      return;
    case record_type::subscription_gone:
      if (const auto number = decode_subscription_gone(r.body)) subs_.erase(*number);
      return;
    default: return;
  }
}

void pubsub::start(const step& now) {
  now_ = now;
  start_names("");
  stream_ = names_.find_stream(options_.name, "")->stream;
  // What was confirmed had a sequence, even if bit rot took its block.
  for (const auto& [number, s] : subs_.all()) kept_.raise(s.floor());
  kept_.start();
  for (auto& [number, s] : subs_.all()) {
    s.start(kept_.next());
    if (options_.retention_until_acked) recorded_floors_.emplace(s.noted(), number);
  }
  if (kept_.lowest() > 1) out_.pending().trimmed.emplace_back(stream_, kept_.lowest());
  start_sessions();
}

// Only between turns that asked for nothing more: what a row says must be in the log before as_of.
bool pubsub::snapshot(state_writer& rows, std::size_t budget) {
  if (!out_.pending().records.empty()) return false;
  const std::size_t begin = rows.size();
  if (!snapshot_own_done_ && !snapshot_own(rows, budget)) return false;
  snapshot_own_done_ = true;
  const std::size_t spent = rows.size() - begin;
  if (!snapshot_front(rows, budget > spent ? budget - spent : 1)) return false;
  snapshot_own_done_ = snapshot_history_done_ = false;
  return true;
}

bool pubsub::snapshot_own(state_writer& rows, std::size_t budget) {
  const std::size_t begin = rows.size();
  if (!snapshot_history_done_) {
    if (!kept_.snapshot_marks(rows, stream_, budget)) return false;
    rows.begin(row_kind::history);
    rows.u32(stream_);
    rows.u32(subs_.next_number());
    kept_.write_ends(rows);
    rows.end();
    snapshot_history_done_ = true;
    snapshot_from_ = 0;
  }
  for (auto at = subs_.all().lower_bound(snapshot_from_); at != subs_.all().end(); ++at) {
    if (rows.size() - begin >= budget) return false;
    if (at->second.durable()) write_subscription(rows, at->second);
    snapshot_from_ = at->first + 1;
  }
  return true;
}

}  // namespace holdfast
