// Plain subscribers: what their XPUB says, and how far they have got.
#include <algorithm>

#include "patterns/pubsub/pubsub.hpp"

namespace holdfast {

std::uint64_t pubsub::total(const std::vector<range>& list) {
  std::uint64_t sum = 0;
  for (const range& r : list) sum += r.count;
  return sum;
}

void pubsub::on_plain_joined(const plain_peer& peer, const step& now) {
  begin(now);
  if (!mine(peer.stream)) return;
  const auto [at, fresh] = plain_.try_emplace(peer.peer, peer);
  if (!fresh) return;
  plain_subscriber& p = at->second;
  if (!peer.durable.empty()) return claim(p);
  if (!p.shared()) return;  // begins with its first subscription
  // The same endpoint's socket under another number: what it had not handed over comes again.
  const char* kind = peer.tracking == plain_tracking::lossy ? "lossy" : "all_wait";
  for (auto& [number, s] : subs_.all())
    if (!s.attached() && s.kind() == kind && s.to().name == peer.name) return give(p, s);
  give(p, subs_.add(kind, "", kept_.next(), 0, {std::string()}));
}

void pubsub::give(plain_subscriber& p, subscription& s) {
  p.subscription = s.number();
  subs_.attach(s, {0, p.peer.peer, false, p.peer.name});
  s.set_credit(p.room, never_ns, false);
}

/// A durable name has one taker; a second peer waits for it and is sent nothing.
void pubsub::claim(plain_subscriber& p) {
  const bool plain_owner = std::any_of(plain_.begin(), plain_.end(), [&](const auto& other) {
    return &other.second != &p && !other.second.refused &&
           other.second.peer.durable == p.peer.durable;
  });
  subscription* s = subs_.find_name(p.peer.durable);
  if (plain_owner || (s && s->attached())) {
    if (!std::exchange(p.refused, true)) ++plain_refused_;
    return;
  }
  p.refused = false;
  if (!s) return;  // begins with its first subscription ever
  give(p, *s);
  s->hold(true);
}

/// A durable name is free: to the plain peer that waits longest.
void pubsub::offer(const std::string& name) {
  for (auto& [peer, p] : plain_) {
    if (!p.refused || p.peer.durable != name) continue;
    claim(p);
    if (!p.refused) return topics_changed(p);
  }
}

/// XPUB: 1 and a prefix subscribes, 0 and a prefix ends that.
void pubsub::on_raw(const frame_in& frame) {
  const auto at = frame.from_door == door::plain ? plain_.find(frame.from) : plain_.end();
  const bytes_view said = frame.head.bytes();
  if (at == plain_.end() || said.empty() || std::to_integer<int>(said[0]) > 1)
    return count_bad_frame();
  plain_subscriber& p = at->second;
  if (p.shared()) return;
  const bytes_view prefix =
      said.subspan(1, std::min(said.size() - 1, plain_subscriber::prefix_bytes_max));
  std::string text(reinterpret_cast<const char*>(prefix.data()), prefix.size());
  if (std::to_integer<int>(said[0]) == 1)
    p.topics.insert(std::move(text));
  else
    p.topics.erase(text);
  topics_changed(p);
}

void pubsub::topics_changed(plain_subscriber& p) {
  if (!p.refused && p.subscription == 0 && !p.topics.empty()) begin_plain(p);
  subscription* s = subs_.find(p.subscription);
  if (p.refused || !s) return;
  if (s->durable()) return durable_topics(p, *s);
  s->hold(p.topics.empty());
  // It misses what came while it wanted nothing.
  if (s->prefixes().empty() && !p.topics.empty()) s->skip_to(kept_.next());
  s->want(p.prefixes(options_.prefixes_max));
  subs_.mark(*s);
}

/// Its first subscription came.
void pubsub::begin_plain(plain_subscriber& p) {
  if (!p.peer.durable.empty()) {
    claim(p);
    if (p.refused || p.subscription != 0) return;
  }
  const char* kind = p.peer.durable.empty() ? "separate" : "durable";
  subscription& made =
      subs_.add(kind, p.peer.durable, kept_.next(), 0, p.prefixes(options_.prefixes_max));
  if (made.durable()) define(made);
  give(p, made);
}

/// libzmq says that a subscription ended also when its peer goes, and a peer that comes again
/// repeats them one by one: a durable subscription must pass over nothing meanwhile.
void pubsub::durable_topics(plain_subscriber& p, subscription& s) {
  if (p.topics.empty()) {
    s.hold(true);
    p.topics_settle_ns = never_ns;
    return;
  }
  const std::vector<std::string> now = p.prefixes(options_.prefixes_max);
  std::vector<std::string> all = s.prefixes();
  all.insert(all.end(), now.begin(), now.end());
  if (all.size() > 2 * std::size_t{options_.prefixes_max}) all = {std::string()};
  if (s.want(std::move(all))) define(s);
  if (s.prefixes() == topic_filter(now).prefixes()) {
    p.topics_settle_ns = never_ns;
    s.hold(false);
  } else {
    p.topics_settle_ns = now_.at.now_ns + plain_subscriber::settle_topics_ns;
  }
  subs_.mark(s);
}

/// Nothing changed for long enough: what the peer asks for now is what the subscription wants.
void pubsub::settle_topics(plain_subscriber& p) {
  p.topics_settle_ns = never_ns;
  subscription* s = subs_.find(p.subscription);
  if (!s) return;
  if (s->want(p.prefixes(options_.prefixes_max))) define(*s);
  s->hold(false);
  subs_.mark(*s);
}

void pubsub::on_plain_report(const plain_report& report, const step& now) {
  begin(now);
  const auto at = plain_.find(report.peer);
  if (at == plain_.end()) return;
  plain_subscriber& p = at->second;
  p.room = report.room;
  doubt_.clear();
  settled_.clear();
  p.progress.report(report, now.at.now_ns, doubt_, settled_);
  subscription* s = subs_.find(p.subscription);
  if (!s) return;
  s->doubt(total(doubt_));
  settled(p, total(settled_));
  s->set_credit(p.room, never_ns, false);
  subs_.mark(*s);
}

void pubsub::settled(plain_subscriber& p, std::uint64_t sent) {
  subscription* s = subs_.find(p.subscription);
  if (!s || sent == 0) return;
  s->settle(sent);
  s->touched = s->floor() != s->noted();
  subs_.mark(*s);
}

void pubsub::on_plain_acks(std::span<const delivery_id> acks, const step& now) {
  begin(now);
  for (std::size_t i = 0; i < acks.size(); ++i) count_bad_frame();
}

}  // namespace holdfast
