// Frames of reliable requesters and repliers.
#include <algorithm>

#include "base/checksum.hpp"
#include "base/planted.hpp"
#include "patterns/reqrep/reqrep.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {
namespace {

/// Each entry is a reply to the request in its place.
bool answers(const reply_frame& f, bytes_view body) {
  std::uint64_t request = f.requests.first;
  entry_walker walker(body);
  for (entry e; walker.next(e); ++request) {
    const auto head = decode_reply_head(e.part(0));
    if (!head || head->sequence != request || head->status < reply_status::ok) return false;
  }
  return true;
}

}  // namespace

void reqrep::on_session_frame(const session& s, frame_type type, const frame_in& frame) {
  switch (type) {
    case frame_type::credit: return on_credit(s, frame);
    case frame_type::ack:
    case frame_type::ack_simple: return on_ack(s, frame);
    case frame_type::nack: return on_nack(s, frame);
    case frame_type::touch: return on_touch(s, frame);
    case frame_type::reply: return on_reply(s, frame);
    default: count_bad_frame();
  }
}

/// What a replier held goes to others, the one it had longest as one more failed attempt; a
/// requester's replies stay.
void reqrep::on_session_closed(const session& s) {
  outlets_.leave(s.number);
  for (const auto& [stream, id] : consumers_.leave(s.number)) {
    service& of = *by_stream_.at(stream);
    --of.workers;
    of.requests().lose(id, work_queue::at_once_ns, now_.at);
    requests_.mark(of.requests());
  }
}

void reqrep::on_attach(const session& s, const attach& f) {
  const std::string name = f.address.empty() ? options_.default_service : f.address;
  const bool known = find_service(name) && !name.ends_with(".reply");
  if (!known && (name.ends_with(".reply") || name.size() + 6 > address_bytes_max))
    return refuse_attach(s, f.request, errc::denied,
                         "a service's name has at most 249 bytes and does not end in .reply");
  bool fresh = false;
  const stream_def* def = resolve(s, f, name, fresh);
  if (!def) return;
  const stream_id stream = def->stream;
  if (fresh) {
    define_service(*def);
    service_at(stream)->requests().start(now_.at);
    service_at(stream)->replies().start(now_.at);
  }
  service& of = *service_at(stream);
  work_queue& q = f.role == attach_role::replies ? of.replies() : of.requests();
  attached answer = answer_to(f, q.def());
  answer.lease_ms = static_cast<std::uint32_t>(options_.attempt_ns / ms_ns);
  answer.next_sequence = q.next_sequence();
  answer.lowest_sequence = q.floor();
  switch (f.role) {
    case attach_role::produce:
      if (!attach_producer(s, f, answer)) return;
      break;
    case attach_role::consume: attach_replier(s, of); break;
    case attach_role::replies: outlets_.attach(s, of); break;
  }
  send_attached(s, answer);
}

void reqrep::attach_replier(const session& s, service& of) {
  const stream_id stream = of.requests().def().stream;
  if (consumers_.find(s.number, stream) != 0) return;
  consumer c;
  c.kind = consumer_kind::reliable;
  c.name = name_of(s);
  c.session = s.number;
  c.peer = s.peer;
  c.simple = s.simple;
  c.lease_ns = options_.attempt_ns;
  consumers_.add(s.number, stream, of.requests().join(std::move(c)).id);
  ++of.workers;
}

void reqrep::on_credit(const session& s, const frame_in& frame) {
  const result<credit> f =
      s.simple ? decode_credit_simple(frame.head.bytes()) : decode_credit(frame.head.bytes());
  if (!f) return count_bad_frame();
  if (outlets_.attached(s.number, f->stream)) return outlets_.credit(s.number, *f);
  const consumer_id id = consumers_.find(s.number, f->stream);
  if (id == 0) return count_bad_frame();
  work_queue& q = by_stream_.at(f->stream)->requests();
  q.set_credit(id, f->messages_total, f->bytes_total, false);  // a request a delivery
  requests_.mark(q);
}

/// Only replies are acked; a request is finished by its reply.
void reqrep::on_ack(const session& s, const frame_in& frame) {
  const result<ack> f =
      s.simple ? decode_ack_simple(frame.head.bytes()) : decode_ack(frame.head.bytes());
  if (!f || !outlets_.attached(s.number, f->stream)) return count_bad_frame();
  service& of = *by_stream_.at(f->stream);
  for (const range& r : f->ranges) close_replies(s, of, r);
  acked_later(s, f->stream, f->number);
}

void reqrep::on_nack(const session& s, const frame_in& frame) {
  const result<nack> f = decode_nack(frame.head.bytes());
  const consumer_id id = f ? consumers_.find(s.number, f->stream) : 0;
  if (id == 0) return count_bad_frame();
  work_queue& q = by_stream_.at(f->stream)->requests();
  q.nack(id, *f, now_.at);
  requests_.mark(q);
}

void reqrep::on_touch(const session& s, const frame_in& frame) {
  const result<touch> f = decode_touch(frame.head.bytes());
  const consumer_id id = f ? consumers_.find(s.number, f->stream) : 0;
  if (id == 0) return count_bad_frame();
  work_queue& q = by_stream_.at(f->stream)->requests();
  q.touch(id, *f, now_.at);
  requests_.mark(q);
}

/// An entry each: reply head and parts. They are stored as they came.
void reqrep::on_reply(const session& s, const frame_in& frame) {
  const result<reply_frame> f = decode_reply_frame(frame.head.bytes());
  if (!f || frame.parts.size() != 1 || consumers_.find(s.number, f->stream) == 0)
    return count_bad_frame();
  const buffer_ref& body = frame.parts[0];
  const auto count = static_cast<std::uint16_t>(f->requests.count);
  const body_verdict verdict = walk(body.bytes(), count, 0, options_.max_message);
  if (!verdict.ok || verdict.voids != 0 || checksum(body.bytes()) != f->body_sum ||
      !answers(*f, body.bytes()))
    return count_bad_frame();
  if (failed_ || body.size() > reply_room_) {
    held_frames_.push_back({s.number, *f, body});
    return;
  }
  take_replies(s, *f, body);
}

/// The first valid one is the reply, whichever dispatch it answers; the request's id proves that
/// its sender was given the request.
void reqrep::take_replies(const session& s, const reply_frame& f, const buffer_ref& body) {
  service& of = *by_stream_.at(f.stream);
  if (const auto how = ending(of, f, body.bytes())) return store_replies(s, f, body, *how);
  if (f.requests.count > 1) return take_one_by_one(s, f, body);
  ++of.late;
  tell(s, f.stream, f.requests, reply_outcome::late, 0);
}

void reqrep::take_one_by_one(const session& s, const reply_frame& f, const buffer_ref& body) {
  for (std::uint32_t i = 0; i < f.requests.count; ++i) {
    const bytes_view one = cut_body(body.bytes(), i, 1);
    const auto at = static_cast<std::size_t>(one.data() - body.data());
    take_replies(s, {f.stream, {f.requests.first + i, 1}, f.attempt, checksum(one)},
                 body.slice(at, one.size()));
  }
}

/// How all of them finish their requests; nothing if one is late, or finishes its in another way.
std::optional<finish> reqrep::ending(const service& of, const reply_frame& f,
                                     bytes_view body) const {
  auto row = of.pending.find(f.requests.first);
  std::optional<finish> how;
  entry_walker walker(body);
  for (entry e; walker.next(e); ++row) {
    const reply_head head = *decode_reply_head(e.part(0));
    if (row == of.pending.end() || row->first != head.sequence || row->second.id != head.id ||
        of.requests().finished(head.sequence))
      return std::nullopt;
    if (how.value_or(finish_of(head.status)) != finish_of(head.status)) return std::nullopt;
    how = finish_of(head.status);
  }
  return how;
}

/// As one record.
void reqrep::store_replies(const session& s, const reply_frame& f, buffer_ref body, finish how) {
  service& of = *by_stream_.at(f.stream);
  of.requests().answered(f.requests, how);
  requests_.mark(of.requests());
  if (!of.answered.empty()) seal_replies(of);  // numbered before these are
  entry_walker walker(body.bytes());
  append_item item;
  item.head.count = static_cast<std::uint16_t>(f.requests.count);
  item.head.body_sum = f.body_sum;
  item.body = std::move(body);
  use_room(item.body.size());
  std::uint64_t sequence = of.replies().next_sequence();
  const ordinal record = append_replies(of, std::move(item));
  for (entry e; walker.next(e); ++sequence) {
    const reply_head head = *decode_reply_head(e.part(0));
    const request_row& asked = of.pending.at(head.sequence);
    reply_row made;
    made.id = head.id;
    made.client = asked.client;
    made.time_ns = now_.at.real_ns;
    made.bytes = e.data.size();
    made.peer = asked.peer;
    made.envelope = asked.envelope;
    keep_reply(of, sequence, made, head.sequence);
  }
  tell(s, f.stream, f.requests, reply_outcome::stored, record);
}

void reqrep::tell(const session& s, stream_id stream, range requests, reply_outcome outcome,
                  ordinal after) {
  frame_out made;
  made.to = s.peer;
  encode(made.head, s.number, replied{stream, requests, outcome});
  if (planted(bug::replied_early)) after = 0;
  out_.send_after(after, std::move(made));
}

}  // namespace holdfast
