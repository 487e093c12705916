#include "patterns/pubsub/pubsub_channel.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "patterns/pubsub/pubsub.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {
namespace {

/// A floor that moved over unwanted messages alone is recorded after so many: where messages wait
/// for it, rather often.
constexpr std::uint64_t note_passed = 64 * 1024, note_passed_awaited = 1024;

}  // namespace

pubsub::pubsub(pubsub_options options, catalog& names, std::uint64_t seed)
    : front("pubsub", options, names, seed),
      options_(std::move(options)),
      kept_({options_.retention_age_ns, options_.retention_bytes, options_.retention_records}) {}

bool pubsub::mine(stream_id stream) const {
  if (stream_ != no_stream) return stream == stream_;
  const stream_def* def = names_.find_stream(stream);
  return def && def->channel == options_.name && def->address.empty();
}

ordinal pubsub::append_block(append_item item, std::uint32_t) {
  item.head.first_sequence = kept_.next();
  kept_.append(item.head.count, item.body.size(), now_.at.real_ns);
  const ordinal record = out_.add(std::move(item));
  waits_.push_back({record, kept_.next()});
  if (planted(bug::pub_visible_early)) kept_.set_visible(kept_.next());
  return record;
}

void pubsub::on_plain(std::span<plain_block> blocks, const step& now) {
  begin(now);
  for (plain_block& b : blocks)
    if (mine(b.stream)) append_block(record_of(std::move(b), now.at.real_ns), 0);
}

void pubsub::on_progress() {
  if (waits_.empty() || waits_.front().after > out_.reached()) return;
  for (; !waits_.empty() && waits_.front().after <= out_.reached(); waits_.pop_front())
    kept_.set_visible(waits_.front().end);
  subs_.mark_attached();
}

void pubsub::on_peer_lost(peer_id peer, const step& now) {
  begin(now);
  lose_session(peer);
  const auto at = plain_.find(peer);
  if (at == plain_.end()) return;
  const plain_subscriber gone = std::move(at->second);
  plain_.erase(at);
  subscription* s = subs_.find(gone.subscription);
  if (!s) return;
  subs_.detach(*s);
  if (!gone.shared() && !s->durable()) subs_.erase(s->number());
  if (!gone.peer.durable.empty()) offer(gone.peer.durable);
}

bool pubsub::awaits(const run& what) {
  return subs_.find_token(what.token) != nullptr;
}

void pubsub::on_cut(const cut& what, const step& now) {
  begin(now);
  subscription* s = subs_.find_token(what.token);
  if (!s) {
    s = subs_.find(static_cast<std::uint32_t>(what.token));
    if (!s) return;
    s->on_overtaken_cut(what);
    return subs_.mark(*s);
  }
  const range lost = s->on_cut(what);
  if (lost.count != 0) tell_gap(*s, lost);
  if (const auto p = plain_.find(s->to().peer); p != plain_.end() && what.sent > 0)
    p->second.progress.delivered({1, what.sent}, what.bytes);
  subs_.mark(*s);
}

void pubsub::on_tick(const step& now) {
  begin(now);
  tick_sessions();
  for (auto& [peer, p] : plain_) {
    if (p.topics_settle_ns <= now.at.now_ns) settle_topics(p);
    if (p.progress.next_deadline() > now.at.now_ns) continue;
    settled_.clear();
    p.progress.on_tick(now.at.now_ns, settled_);
    settled(p, total(settled_));
  }
  for (auto& [number, s] : subs_.all())
    if (s.wake()) subs_.mark(s);
  trim();
}

std::uint64_t pubsub::next_deadline() const {
  std::uint64_t next = sessions_.next_deadline();
  for (const auto& [peer, p] : plain_)
    next = std::min({next, p.progress.next_deadline(), p.topics_settle_ns});
  const std::uint64_t expiry = kept_.next_expiry_ns();
  if (expiry == never_ns) return next;
  if (expiry > now_.at.real_ns) return std::min(next, now_.at.now_ns + (expiry - now_.at.real_ns));
  return kept_.expired(now_.at.real_ns) > kept_.lowest() ? now_.at.now_ns : next;
}

void pubsub::take_ready(ready& out) {
  flush_intake();
  trim();
  subs_.take_marked([this](subscription& s) {
    note(s);
    serve(s);
  });
  hand_out(out);
}

void pubsub::define(const subscription& s) {
  last_stream_def_ = out_.add(encode_record(stream_, now_.at, s.definition()));
  if (options_.retention_until_acked) recorded_floors_.emplace(s.noted(), s.number());
}

/// One record a turn, however many acks. Who attaches is told where it goes on once that holds.
void pubsub::note(subscription& s) {
  const std::uint64_t step = options_.retention_until_acked ? note_passed_awaited : note_passed;
  const bool due = std::exchange(s.touched, false) || s.floor() - s.noted() >= step;
  if (!s.durable() || !due || planted(bug::progress_unrecorded)) return;
  last_stream_def_ = out_.add(encode_record(stream_, now_.at, s.progress()));
  const auto known = recorded_floors_.extract({s.noted(), s.number()});
  s.note();
  if (known) recorded_floors_.emplace(s.noted(), s.number());
}

/// Where messages may go that every durable subscription is done with: below this; 0 = nowhere.
/// Floors count as they are recorded, so that no cursor ever restarts below what is kept.
std::uint64_t pubsub::acked_by_all() const {
  return recorded_floors_.empty() ? 0 : recorded_floors_.begin()->first;
}

/// What is too old or too much goes, whoever has not seen it; so does what nobody waits for.
void pubsub::trim() {
  const std::uint64_t to = kept_.expired(now_.at.real_ns, acked_by_all());
  if (to <= kept_.lowest()) return;
  kept_.trim(to);
  out_.add(encode_trim(stream_, now_.at, to));
  out_.pending().trimmed.emplace_back(stream_, to);
  subs_.mark_attached();
}

void pubsub::serve(subscription& s) {
  if (const auto lost = s.lost_below(kept_.lowest())) tell_gap(s, *lost);
  if (const auto next = s.next_run(stream_, kept_.visible())) out_.send(delivery(s, *next));
}

void pubsub::tell_gap(const subscription& s, range lost) {
  if (s.to().session == 0 || planted(bug::gap_untold)) return;
  const gap_cause why = lost.first < kept_.lowest() ? gap_cause::retention : gap_cause::corrupt;
  out_.send(long_frame(s.to().peer, s.to().session, gap{stream_, lost, why}));
}

bool pubsub::forget_subscription(const std::string& name, const step& now) {
  begin(now);
  subscription* s = subs_.find_name(name);
  if (!s || s->attached()) return false;
  out_.add(encode_subscription_gone(stream_, now.at, s->number()));
  recorded_floors_.erase({s->noted(), s->number()});
  subs_.erase(s->number());
  return true;
}

void pubsub::report(channel_stats& out) const {
  report_front(out);
  out.plain_refused = plain_refused_;
  stream_stats& all = out.streams.emplace_back();
  all.stream = stream_;
  all.next_sequence = kept_.next();
  all.ack_floor = kept_.lowest();
  all.counts.in = kept_.next() - 1;
  all.counts.ready = kept_.next() - kept_.lowest();
  all.counts.expired = kept_.lowest() - 1;
  all.duplicates = intake_.duplicates(stream_);
  for (const auto& [number, s] : subs_.all()) s.report(all.groups.emplace_back(), kept_);
}

std::unique_ptr<pattern> make_pubsub(pubsub_options options, catalog& names, std::uint64_t seed) {
  return std::make_unique<pubsub>(std::move(options), names, seed);
}

}  // namespace holdfast
