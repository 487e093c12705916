#include "patterns/reqrep/reqrep_channel.hpp"

#include <algorithm>

#include "patterns/reqrep/reqrep.hpp"

namespace holdfast {
namespace {

constexpr std::string_view reply_suffix = ".reply";

work_queue_options requests_from(const reqrep_options& o, std::vector<failed_run>& failures) {
  work_queue_options q;
  q.lease_ns = o.attempt_ns;
  q.redelivery = {o.backoff_min_ns, o.backoff_max_ns, o.attempts_max};
  q.tell_failures = &failures;
  return q;
}

mdp_options mdp_from(const reqrep_options& o) {
  mdp_options m;
  m.heartbeat_ns = o.worker_heartbeat_ms * ms_ns;
  m.liveness = o.worker_liveness;
  m.busy_ns = o.worker_busy_ns;
  m.workers_max = o.sessions_max;
  return m;
}

/// A service has a stream beside its own: names that are either's are nobody else's.
bool reserved(std::string_view name) noexcept {
  return name.ends_with(".dlq") || name.ends_with(reply_suffix);
}

}  // namespace

reqrep::reqrep(reqrep_options options, catalog& names, std::uint64_t seed)
    : front("reqrep", options, names, seed),
      options_(std::move(options)),
      requests_(requests_from(options_, failures_), out_, random_, options_.retention),
      replies_({}, out_, random_),
      outlets_(out_),
      plain_(*this, names),
      ready_({options_.worker_heartbeat_ms * ms_ns, options_.worker_liveness}, *this, names),
      mdp_(mdp_from(options_), *this) {}

service& reqrep::open_service(const stream_def& requests, const stream_def& replies) {
  service& made = services_.emplace_back(requests_.open(requests), replies_.open(replies));
  by_stream_[requests.stream] = by_stream_[replies.stream] = &made;
  return made;
}

/// The service one of whose streams this is; null if it is none of this channel's. Both streams are
/// defined before anything is stored in them.
service* reqrep::service_at(stream_id stream) {
  if (const auto known = by_stream_.find(stream); known != by_stream_.end()) return known->second;
  const stream_def* def = names_.find_stream(stream);
  if (!def || def->channel != options_.name) return nullptr;
  const bool is_reply = def->address.ends_with(reply_suffix);
  const stream_def* requests =
      is_reply
          ? names_.find_stream(options_.name,
                               def->address.substr(0, def->address.size() - reply_suffix.size()))
          : def;
  const stream_def* replies =
      is_reply ? def : names_.find_stream(options_.name, def->address + std::string(reply_suffix));
  return requests && replies ? &open_service(*requests, *replies) : nullptr;
}

/// The stream of its replies is defined if it is not there, and both are open.
void reqrep::define_service(const stream_def& requests) {
  const stream_def of = requests;  // the catalog's own may move
  names_.define_stream(options_.name, of.address + std::string(reply_suffix), now_.at,
                       out_.pending());
  last_stream_def_ = out_.last();
  (void)service_at(of.stream);
}

/// For foreign peers: the service is made if it is new; null if it may not be.
service* reqrep::service_named(std::string_view name) {
  if (const stream_def* known = names_.find_stream(options_.name, name))
    return reserved(name) ? nullptr : service_at(known->stream);
  const bool fits = !name.empty() && name.size() + reply_suffix.size() <= address_bytes_max;
  if (!fits || reserved(name) || names_.stream_count(options_.name) + 2 > options_.addresses_max)
    return nullptr;
  const stream_id made = names_.define_stream(options_.name, name, now_.at, out_.pending()).stream;
  define_service(*names_.find_stream(made));
  service& of = *service_at(made);
  of.requests().start(now_.at);
  of.replies().start(now_.at);
  return &of;
}

const service* reqrep::find_service(std::string_view name) const {
  const stream_def* def = names_.find_stream(options_.name, name);
  const auto at = def ? by_stream_.find(def->stream) : by_stream_.end();
  return at == by_stream_.end() ? nullptr : at->second;
}

void reqrep::take_room() {
  room_ = now_.available.message_bytes;
  reply_room_ = now_.available.reply_bytes;
}

void reqrep::use_room(std::uint64_t bytes) {
  room_ -= std::min(room_, bytes);
  reply_room_ -= std::min(reply_room_, bytes);
}

void reqrep::on_progress() {
  take_room();
  failed_ = now_.available.failed || now_.log.failure != nullptr;
  requests_.on_progress();
  replies_.on_progress();
  show_replies();
  expire_due();
}

/// Nothing is packed by the loop for this pattern: requests come as frames, envelopes and all.
void reqrep::on_plain(std::span<plain_block>, const step& now) {
  begin(now);
}

void reqrep::on_plain_joined(const plain_peer& peer, const step& now) {
  begin(now);
  plain_.on_worker_joined(peer);
}

/// A worker holds one request at a time, so there is nothing to settle by counts.
void reqrep::on_plain_report(const plain_report&, const step& now) {
  begin(now);
}

void reqrep::on_plain_acks(std::span<const delivery_id>, const step& now) {
  begin(now);
}

void reqrep::on_peer_lost(peer_id peer, const step& now) {
  begin(now);
  lose_session(peer);
  for (dialect* d : {static_cast<dialect*>(&plain_), static_cast<dialect*>(&ready_),
                     static_cast<dialect*>(&mdp_)})
    d->on_peer_lost(peer);
  outlets_.lost(peer);
  for (service& of : services_)
    for (auto& [sequence, row] : of.pending)
      if (row.peer == peer) row.peer = 0;
}

bool reqrep::awaits(const run& what) {
  const auto at = by_stream_.find(what.stream);
  if (at == by_stream_.end()) return false;
  service& of = *at->second;
  if (of.replies().def().stream == what.stream) return outlets_.awaits(what);
  return of.requests().awaits(static_cast<consumer_id>(what.token));
}

void reqrep::on_cut(const cut& what, const step& now) {
  begin(now);
  const auto stream = static_cast<stream_id>(what.token >> 32);
  const auto at = by_stream_.find(stream);
  if (at == by_stream_.end()) return;
  service& of = *at->second;
  if (of.replies().def().stream == stream) {
    const outlets::taken taken = outlets_.on_cut(what);
    if (!taken.of) return;
    for (std::uint64_t s = taken.left.first; taken.foreign && s < taken.left.end(); ++s)
      end_reply(of, s, finish::settled);
    for (std::uint64_t s = taken.missing.first; s < taken.missing.end(); ++s)
      end_reply(of, s, finish::dropped);
    return;
  }
  work_queue& q = of.requests();
  const range left = q.on_cut(static_cast<consumer_id>(what.token), what, now.at);
  if (const auto w = by_token_.find(what.token); w != by_token_.end() && left.count == 0)
    take_back(workers_.at(w->second));  // it never left
  for (std::uint64_t s = what.missing.first; s < what.missing.end(); ++s) lose_request(of, s);
  requests_.mark(q);
}

void reqrep::on_tick(const step& now) {
  begin(now);
  tick_sessions();
  requests_.on_tick(now.at);
  outlets_.wake_stalled();
  // Not in begin(): the room there is that of the requests that were read for this turn.
  retry_held();
  handle_failures();
  for (dialect* d : {static_cast<dialect*>(&ready_), static_cast<dialect*>(&mdp_)}) d->on_tick();
  expire_replies();
}

std::uint64_t reqrep::next_deadline() const {
  const auto monotonic = [this](std::uint64_t real_ns) {
    return now_.at.now_ns + (real_ns > now_.at.real_ns ? real_ns - now_.at.real_ns : 0);
  };
  std::uint64_t next = std::min({sessions_.next_deadline(), requests_.next_deadline(),
                                 ready_.next_deadline(), mdp_.next_deadline()});
  if (!deadlines_.empty()) next = std::min(next, monotonic(deadlines_.top().real_ns));
  for (const std::deque<stored_at>* line : {&by_age_, &closed_by_age_}) {
    if (line->empty()) continue;
    const auto row = line->front().of->stored.find(line->front().sequence);
    const bool there = row != line->front().of->stored.end();
    next = std::min(
        next, there ? monotonic(row->second.time_ns + options_.reply_ttl_ns) : now_.at.now_ns);
  }
  return next;
}

void reqrep::take_ready(ready& out) {
  handle_failures();
  expire_due();
  flush_intake();
  seal_touched();
  requests_.retain(now_.at, [this](work_queue& q, range r) {
    for (std::uint64_t s = r.first; s < r.end(); ++s) drop(*service_at(q.def().stream), s);
  });
  seal_touched();  // answers to what was dropped
  requests_.flush(now_.at, [this](const grant& g) { dispatch(g); });
  replies_.flush(now_.at, [](const grant&) {});
  outlets_.flush();
  hand_out(out);
}

void reqrep::seal_touched() {
  for (std::size_t i = 0; i < touched_.size(); ++i) seal(*touched_[i]);
  touched_.clear();
}

void reqrep::report(channel_stats& out) const {
  report_front(out);
  out.unanswered = unanswered_;
  out.rejected = rejected_;
  for (const service& of : services_) {
    of.requests().report(out.streams.emplace_back());
    out.streams.back().duplicates = intake_.duplicates(of.requests().def().stream);
    out.streams.back().late_acks += of.late;
    of.replies().report(out.streams.emplace_back());
  }
}

std::unique_ptr<pattern> make_reqrep(reqrep_options options, catalog& names, std::uint64_t seed) {
  return std::make_unique<reqrep>(std::move(options), names, seed);
}

}  // namespace holdfast
