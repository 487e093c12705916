// Foreign workers: one request each, bound to its dispatch. And dispatching, to all kinds.
#include <algorithm>

#include "patterns/reqrep/reqrep.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {
namespace {

std::uint64_t token_of(stream_id stream, consumer_id consumer) noexcept {
  return std::uint64_t{stream} << 32 | consumer;
}

}  // namespace

dialect& reqrep::behind(door from) {
  if (from == door::ready) return ready_;
  if (from == door::mdp) return mdp_;
  return plain_;
}

void reqrep::on_raw(const frame_in& frame) {
  behind(frame.from_door).on_frame(frame);
}

worker_id reqrep::worker_ready(worker_def w) {
  service* of = service_named(w.service);
  if (!of || workers_.size() >= options_.sessions_max) return 0;
  consumer c;
  c.kind = consumer_kind::worker;
  c.name = w.name;
  c.peer = w.peer;
  c.lease_ns = w.busy_ns ? w.busy_ns : options_.attempt_ns;
  c.messages_total = 1;
  c.bytes_total = ~std::uint64_t{0};
  const consumer_id consumer = of->requests().join(std::move(c)).id;
  ++of->workers;
  worker& made = workers_[++last_worker_];
  made = {last_worker_, w.speaks, w.peer, std::move(w.name), of, consumer, {}};
  if (made.name.size() > worker_name_bytes_max) made.name.resize(worker_name_bytes_max);
  by_token_[token_of(of->requests().def().stream, consumer)] = made.id;
  requests_.mark(of->requests());
  return made.id;
}

void reqrep::worker_gone(worker_id w) {
  const auto at = workers_.find(w);
  if (at == workers_.end()) return;
  const worker gone = std::move(at->second);
  workers_.erase(at);
  work_queue& q = gone.of->requests();
  by_token_.erase(token_of(q.def().stream, gone.consumer));
  --gone.of->workers;
  std::erase_if(held_replies_, [&](const held_reply& h) { return h.from == w; });
  q.lose(gone.consumer, work_queue::at_once_ns, now_.at);
  requests_.mark(q);
}

dispatch_id reqrep::dispatched(worker_id w) const {
  const auto at = workers_.find(w);
  return at == workers_.end() ? dispatch_id{} : at->second.given;
}

std::size_t reqrep::workers_of(std::string_view name) const {
  const service* of = find_service(name);
  return of ? of->workers : 0;
}

/// Nobody's any more: what it was given.
void reqrep::take_back(worker& w) {
  const auto row = w.of->pending.find(w.given.sequence);
  if (row != w.of->pending.end() && row->second.worker == w.id) row->second.worker = 0;
  w.given = {};
}

/// Idle: it may be given its next request.
void reqrep::free_worker(worker& w) {
  take_back(w);
  work_queue& q = w.of->requests();
  if (const consumer* c = q.find(w.consumer))
    q.set_credit(w.consumer, c->messages_taken + 1, ~std::uint64_t{0}, false);
  requests_.mark(q);
}

reply_outcome reqrep::reply(worker_id w, std::uint16_t status, std::span<const buffer_ref> parts) {
  const auto at = workers_.find(w);
  if (at == workers_.end() || at->second.given.stream == no_stream) return reply_outcome::late;
  worker& from = at->second;
  service& of = *from.of;
  const std::uint64_t sequence = from.given.sequence;
  std::uint64_t bytes = head_bytes_max;
  for (const buffer_ref& part : parts) bytes += part.size();
  const auto request = of.pending.find(sequence);
  if (request != of.pending.end() && (failed_ || bytes > reply_room_)) {
    held_replies_.push_back({w, status, {parts.begin(), parts.end()}, bytes});
    return reply_outcome::stored;
  }
  free_worker(from);
  if (request == of.pending.end() ||
      of.requests().answered({sequence, 1}, finish_of(status)) == 0) {
    ++of.late;
    return reply_outcome::late;
  }
  parts_.assign(1, bytes_view{});
  for (const buffer_ref& part : parts) parts_.push_back(part.bytes());
  store_reply(of, request->second, sequence, status, from.name);
  use_room(bytes);
  return reply_outcome::stored;
}

/// What waited for room.
void reqrep::retry_held() {
  while (!held_replies_.empty() && !failed_ && held_replies_.front().bytes <= reply_room_) {
    const held_reply h = std::move(held_replies_.front());
    held_replies_.pop_front();
    (void)reply(h.from, h.status, h.parts);
  }
  while (!held_frames_.empty() && !failed_ && held_frames_.front().body.size() <= reply_room_) {
    const held_frame h = std::move(held_frames_.front());
    held_frames_.pop_front();
    if (const session* s = sessions_.find(h.session)) take_replies(*s, h.frame, h.body);
  }
}

void reqrep::send(peer_id to, buffer_ref envelope) {
  frame_out made;
  made.to = to;
  made.form = frame_form::enveloped;
  made.envelope = std::move(envelope);
  out_.send(std::move(made));
}

void reqrep::dispatch(const grant& g) {
  const auto at = by_token_.find(g.what.token);
  if (at == by_token_.end()) {
    out_.send(deliver_to(g));
    return;
  }
  worker& w = workers_.at(at->second);
  w.given = {g.what.stream, static_cast<std::uint16_t>(w.of->requests().def().epoch), g.attempt,
             g.what.first};
  w.of->pending.at(g.what.first).worker = w.id;
  frame_out made;
  made.to = w.peer;
  made.form = frame_form::enveloped;
  made.envelope = w.speaks->request_envelope(w.peer, w.given);
  run what = g.what;
  what.skip_parts = 1;
  made.body = std::move(what);
  made.until_real_ns = w.of->pending.at(g.what.first).deadline_ns;
  out_.send(std::move(made));
}

/// The earliest deadline of what a run may take: it may wait for the disk before it leaves.
std::uint64_t reqrep::deadline_of(const run& what) const {
  const service& of = *by_stream_.at(what.stream);
  std::uint64_t earliest = never_ns;
  for (auto row = of.pending.lower_bound(what.first);
       row != of.pending.end() && row->first < what.first + what.count; ++row)
    earliest = std::min(earliest, row->second.deadline_ns);
  return earliest;
}

frame_out reqrep::deliver_to(const grant& g) {
  frame_out made;
  made.to = g.to->peer;
  made.form = g.to->simple ? frame_form::simple : frame_form::hfp;
  made.body = g.what;
  made.until_real_ns = deadline_of(g.what);
  deliver head;
  head.stream = g.what.stream;
  head.first_sequence = g.what.first;
  head.count = static_cast<std::uint16_t>(g.what.count);
  head.attempt = g.attempt;
  head.redelivered = g.redelivered;
  encode(made.head, g.to->session, head);
  return made;
}

}  // namespace holdfast
