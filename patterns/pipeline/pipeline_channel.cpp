#include "patterns/pipeline/pipeline_channel.hpp"

#include <algorithm>

#include "patterns/pipeline/pipeline.hpp"

namespace holdfast {
namespace {

work_queue_options queue_from(const pipeline_options& o) {
  work_queue_options q;
  q.lease_ns = o.lease_ns;
  q.redelivery = {o.backoff_min_ns, o.backoff_max_ns, o.attempts_max};
  return q;
}

consumer_kind kind_of(plain_tracking tracking) noexcept {
  switch (tracking) {
    case plain_tracking::shared: return consumer_kind::shared;
    case plain_tracking::ack_back: return consumer_kind::ack_back;
    default: return consumer_kind::separate;
  }
}

}  // namespace

pipeline::pipeline(pipeline_options options, catalog& names, std::uint64_t seed)
    : front("pipeline", options, names, seed),
      options_(std::move(options)),
      queues_(queue_from(options_), out_, random_, options_.retention) {}

work_queue* pipeline::queue_of(stream_id stream) {
  if (work_queue* known = queues_.find(stream)) return known;
  const stream_def* def = names_.find_stream(stream);
  return def && def->channel == options_.name ? &queues_.open(*def) : nullptr;
}

ordinal pipeline::append_block(append_item item, std::uint32_t voids) {
  work_queue& q = *queue_of(item.head.stream);
  item.head.first_sequence = q.next_sequence();
  const std::uint64_t first = item.head.first_sequence;
  const std::uint16_t count = item.head.count;
  const std::uint64_t bytes = item.body.size();
  const buffer_ref body = voids ? item.body : buffer_ref{};
  const ordinal record = out_.add(std::move(item));
  q.append(count, bytes, record, now_.at);
  mark(q);
  if (voids == 0) return record;
  entry_walker walker(body.bytes());
  entry e;
  for (std::uint64_t sequence = first; walker.next(e); ++sequence)
    if (e.voided()) q.settle({sequence, 1});
  return record;
}

void pipeline::on_plain(std::span<plain_block> blocks, const step& now) {
  begin(now);
  for (plain_block& b : blocks)
    if (queue_of(b.stream)) append_block(record_of(std::move(b), now.at.real_ns), 0);
}

void pipeline::on_plain_joined(const plain_peer& peer, const step& now) {
  begin(now);
  work_queue* q = queue_of(peer.stream);
  if (!q || plain_.contains(peer.peer)) return;
  consumer c;
  c.kind = kind_of(peer.tracking);
  c.name = peer.name;
  c.peer = peer.peer;
  c.bytes_total = ~std::uint64_t{0};
  if (peer.tracking == plain_tracking::ack_back) c.lease_ns = options_.lease_ns;
  if (peer.tracking == plain_tracking::separate) {
    c.in_doubt_max = peer.in_doubt_messages;
    c.in_doubt_bytes_min = peer.in_doubt_bytes_min;
  }
  plain_[peer.peer] = {hand_off(peer), q->join(std::move(c)).id};
}

void pipeline::on_plain_report(const plain_report& report, const step& now) {
  begin(now);
  const auto at = plain_.find(report.peer);
  if (at == plain_.end()) return;
  plain_receiver& r = at->second;
  work_queue& q = *queue_of(r.progress.peer().stream);
  doubt_.clear();
  settled_.clear();
  r.progress.report(report, now.at.now_ns, doubt_, settled_);
  for (const range& one : doubt_) q.doubt(r.id, one);
  for (const range& one : settled_) q.settle(one, r.id);
  q.set_credit(r.id, report.room, ~std::uint64_t{0}, false);
  mark(q);
}

void pipeline::on_plain_acks(std::span<const delivery_id> acks, const step& now) {
  begin(now);
  for (const delivery_id& id : acks) {
    work_queue* q = queues_.find(id.stream);
    if (!q || q->def().epoch != id.stream_epoch) {
      count_bad_frame();
      continue;
    }
    q->ack({id.sequence, 1}, now.at);
    mark(*q);
  }
}

void pipeline::on_peer_lost(peer_id peer, const step& now) {
  begin(now);
  lose_session(peer);
  const auto at = plain_.find(peer);
  if (at == plain_.end()) return;
  work_queue& q = *queue_of(at->second.progress.peer().stream);
  q.leave(at->second.id);
  mark(q);
  plain_.erase(at);
}

bool pipeline::awaits(const run& what) {
  work_queue* of = queues_.find(what.stream);
  return of && of->awaits(static_cast<consumer_id>(what.token));
}

void pipeline::on_cut(const cut& what, const step& now) {
  begin(now);
  work_queue* found = queues_.find(static_cast<stream_id>(what.token >> 32));
  if (!found) return;
  work_queue& q = *found;
  const auto id = static_cast<consumer_id>(what.token);
  const consumer* c = q.find(id);
  const peer_id peer = c ? c->peer : 0;
  const range left = q.on_cut(id, what, now.at);
  if (const auto plain = plain_.find(peer); plain != plain_.end() && plain->second.id == id)
    plain->second.progress.delivered(left, what.bytes);
  mark(q);
}

void pipeline::on_tick(const step& now) {
  begin(now);
  tick_sessions();
  queues_.on_tick(now.at);
  for (auto& [peer, r] : plain_) {
    if (r.progress.next_deadline() > now.at.now_ns) continue;
    settled_.clear();
    r.progress.on_tick(now.at.now_ns, settled_);
    work_queue& q = *queue_of(r.progress.peer().stream);
    for (const range& one : settled_) q.settle(one, r.id);
    mark(q);
  }
}

std::uint64_t pipeline::next_deadline() const {
  std::uint64_t next = std::min(sessions_.next_deadline(), queues_.next_deadline());
  for (const auto& [peer, r] : plain_) next = std::min(next, r.progress.next_deadline());
  return next;
}

void pipeline::take_ready(ready& out) {
  flush_intake();
  queues_.retain(now_.at, [](work_queue& q, range r) { q.close(r, finish::retention); });
  queues_.flush(now_.at, [this](const grant& g) { out_.send(delivery(g)); });
  hand_out(out);
}

void pipeline::report(channel_stats& out) const {
  report_front(out);
  for (const auto& q : queues_.all()) {
    q->report(out.streams.emplace_back());
    out.streams.back().duplicates = intake_.duplicates(q->def().stream);
  }
}

void pipeline::restore(state_reader& rows) {
  while (rows.next()) {
    if (restore_row(rows, [&](stream_id stream) { return queue_of(stream) != nullptr; })) continue;
    const bool marks = rows.kind() == row_kind::queue_marks;
    if (rows.kind() != row_kind::queue && !marks) continue;
    const std::uint64_t as_of = rows.as_of();
    work_queue* q = queue_of(rows.u32());
    if (q && marks) q->restore_marks(rows);
    if (q && !marks) q->restore_row(rows, as_of);
  }
}

void pipeline::replay(std::span<const record_view> records) {
  for (const record_view& r : records) {
    const bool of_stream = r.head.stream != no_stream && r.head.type != record_type::stream_def;
    work_queue* q = of_stream ? queue_of(r.head.stream) : nullptr;
    if (of_stream && !q) continue;
    if (q) q->replay(r);
    replay_front(r);
  }
}

void pipeline::start(const step& now) {
  now_ = now;
  start_names(options_.default_queue);
  for (const stream_def& def : names_.streams()) queue_of(def.stream);
  queues_.start(names_, now.at);
  start_sessions();
}

// Only between turns that asked for nothing more: what a row says must be in the log before as_of.
bool pipeline::snapshot(state_writer& rows, std::size_t budget) {
  if (!out_.pending().records.empty()) return false;
  const std::size_t begin = rows.size();
  if (!snapshot_queues_done_ && !queues_.snapshot(rows, budget, now_.at)) return false;
  snapshot_queues_done_ = true;
  const std::size_t spent = rows.size() - begin;
  if (!snapshot_front(rows, budget > spent ? budget - spent : 1)) return false;
  snapshot_queues_done_ = false;
  return true;
}

std::unique_ptr<pattern> make_pipeline(pipeline_options options, catalog& names,
                                       std::uint64_t seed) {
  return std::make_unique<pipeline>(std::move(options), names, seed);
}

}  // namespace holdfast
