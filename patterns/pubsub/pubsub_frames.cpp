// Frames of reliable peers: subscribing, credit, acks; and the frames that carry runs.
#include <algorithm>

#include "base/planted.hpp"
#include "patterns/pubsub/pubsub.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {

void pubsub::on_session_frame(const session& s, frame_type type, const frame_in& frame) {
  switch (type) {
    case frame_type::credit: return on_credit(s, frame);
    case frame_type::ack:
    case frame_type::ack_simple: return on_ack(s, frame);
    case frame_type::nack: return on_nack(s, frame);
    default: count_bad_frame();
  }
}

void pubsub::on_session_closed(const session& s) {
  subscription* sub = subs_.of_session(s.number);
  if (!sub) return;
  const std::string name = sub->name();
  subs_.detach(*sub);
  if (name.empty()) return subs_.erase(sub->number());
  offer(name);
}

void pubsub::on_attach(const session& s, const attach& f) {
  if (!f.address.empty())
    return refuse_attach(s, f.request, errc::denied, "a pub/sub channel has no addresses");
  bool fresh = false;
  const stream_def* def = resolve(s, f, "", fresh);
  if (!def) return;
  attached answer = answer_to(f, *def);
  answer.lease_ms = 0;
  answer.next_sequence = kept_.next();
  answer.lowest_sequence = kept_.lowest();
  switch (f.role) {
    case attach_role::produce:
      if (!attach_producer(s, f, answer)) return;
      break;
    case attach_role::consume: {
      subscription* sub = subscribe(s, f);
      if (!sub) return;
      note(*sub);
      answer.next_sequence = sub->next();
      break;
    }
    case attach_role::replies:
      return refuse_attach(s, f.request, errc::denied, "a pub/sub channel has no replies");
  }
  send_attached(s, answer);
}

/// The session's subscription; null after a refusal.
subscription* pubsub::subscribe(const session& s, const attach& f) {
  if (f.filter.size() > options_.prefixes_max) {
    refuse_attach(s, f.request, errc::too_large, "more prefixes than a subscription may have");
    return nullptr;
  }
  std::vector<std::string> prefixes = f.filter;
  if (prefixes.empty()) prefixes.emplace_back();
  if (subscription* mine = subs_.of_session(s.number)) {
    if (mine->name() == f.group) return mine;
    refuse_attach(s, f.request, errc::denied, "a session has one subscription");
    return nullptr;
  }
  subscription* sub = nullptr;
  if (f.start == start_at::known && (f.group.empty() || !subs_.find_name(f.group))) {
    refuse_attach(s, f.request, errc::not_found, "there is no subscription of this name");
    return nullptr;
  }
  if (f.group.empty()) {
    const std::uint64_t since = f.start == start_at::time ? f.at : 0;
    sub = &subs_.add("session", "", begins_at(f), since, prefixes);
  } else {
    sub = durable_for(s, f, std::move(prefixes));
  }
  if (sub) subs_.attach(*sub, {s.number, s.peer, s.simple, name_of(s)});
  return sub;
}

subscription* pubsub::durable_for(const session& s, const attach& f,
                                  std::vector<std::string> prefixes) {
  subscription* known = subs_.find_name(f.group);
  if (known) {
    if (!take_over(*known, s)) {
      refuse_attach(s, f.request, errc::in_use, "somebody else has this subscription");
      return nullptr;
    }
    if (known->want(std::move(prefixes))) define(*known);
    return known;
  }
  if (subs_.named() >= options_.subscriptions_max) {
    refuse_attach(s, f.request, errc::full, "the channel has as many subscriptions as it may");
    return nullptr;
  }
  const std::uint64_t since = f.start == start_at::time ? f.at : 0;
  subscription& made = subs_.add("durable", f.group, begins_at(f), since, prefixes);
  define(made);
  return &made;
}

/// Free now: it was, or the same instance had it.
bool pubsub::take_over(subscription& sub, const session& s) {
  if (!sub.attached()) return true;
  const session* owner = sessions_.find(sub.to().session);
  const producer_def* had = owner ? names_.find_producer(owner->producer) : nullptr;
  const producer_def* wants = names_.find_producer(s.producer);
  if (sub.to().session == 0 || (had && wants && had->nonce != wants->nonce)) return false;
  subs_.detach(sub);
  return true;
}

/// Never behind what is visible: a place that is told must outlive what the channel's level does,
/// or its number would mean another message later.
std::uint64_t pubsub::begins_at(const attach& f) const {
  const std::uint64_t visible = kept_.visible();
  switch (f.start) {
    case start_at::first: return kept_.lowest();
    case start_at::last: return std::max(kept_.lowest(), visible - 1);
    case start_at::sequence: return std::clamp<std::uint64_t>(f.at, 1, visible);
    case start_at::time: return std::min(kept_.at_time(f.at), visible);
    case start_at::known:
    case start_at::next: break;
  }
  return visible;
}

void pubsub::on_credit(const session& s, const frame_in& frame) {
  const result<credit> f =
      s.simple ? decode_credit_simple(frame.head.bytes()) : decode_credit(frame.head.bytes());
  subscription* sub = f && f->stream == stream_ ? subs_.of_session(s.number) : nullptr;
  if (!sub) return count_bad_frame();
  sub->set_credit(f->messages_total, f->bytes_total, f->whole_blocks && !s.simple);
  subs_.mark(*sub);
}

/// Cumulative: the end of the highest range says it all.
void pubsub::on_ack(const session& s, const frame_in& frame) {
  const result<ack> f =
      s.simple ? decode_ack_simple(frame.head.bytes()) : decode_ack(frame.head.bytes());
  subscription* sub = f && f->stream == stream_ ? subs_.of_session(s.number) : nullptr;
  if (!sub) return count_bad_frame();
  std::uint64_t end = 0;
  for (const range& r : f->ranges) end = std::max(end, r.end());
  sub->ack(end + planted(bug::ack_floor_one_more));
  sub->touched = sub->floor() != sub->noted();  // gaps and what was passed over included
  acked_later(s, stream_, f->number);
  subs_.mark(*sub);
}

/// What could not be used comes again, with all that was sent since the last ack.
void pubsub::on_nack(const session& s, const frame_in& frame) {
  const result<nack> f = decode_nack(frame.head.bytes());
  subscription* sub = f && f->stream == stream_ ? subs_.of_session(s.number) : nullptr;
  if (!sub) return count_bad_frame();
  sub->send_again();
  subs_.mark(*sub);
}

/// The frame that carries a run; the driver cuts it and patches the head.
frame_out pubsub::delivery(const subscription& s, const run& what) const {
  frame_out made;
  made.to = s.to().peer;
  made.body = what;
  made.form = frame_form::plain;
  if (s.to().session == 0) return made;
  made.form = s.to().simple ? frame_form::simple : frame_form::hfp;
  deliver head;
  head.stream = what.stream;
  head.first_sequence = what.first;
  head.count = static_cast<std::uint16_t>(what.count);
  head.redelivered = s.redelivered(what.first);
  encode(made.head, s.to().session, head);
  return made;
}

}  // namespace holdfast
