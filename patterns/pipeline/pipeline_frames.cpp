// Frames of reliable peers, and the frames that carry grants.
#include <algorithm>

#include "patterns/pipeline/pipeline.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {

void pipeline::on_session_frame(const session& s, frame_type type, const frame_in& frame) {
  switch (type) {
    case frame_type::credit: return on_credit(s, frame);
    case frame_type::ack:
    case frame_type::ack_simple: return on_ack(s, frame);
    case frame_type::nack: return on_nack(s, frame);
    case frame_type::touch: return on_touch(s, frame);
    default: count_bad_frame();
  }
}

/// Its leases are released.
void pipeline::on_session_closed(const session& s) {
  for (const auto& [stream, id] : consumers_.leave(s.number)) {
    work_queue& q = *queues_.find(stream);
    if (s.lost)
      q.lose(id, 0, now_.at);
    else
      q.leave(id);
    mark(q);
  }
}

void pipeline::on_attach(const session& s, const attach& f) {
  bool fresh = false;
  const stream_def* def =
      resolve(s, f, f.address.empty() ? options_.default_queue : f.address, fresh);
  if (!def) return;
  if (fresh) queues_.open(*def).start(now_.at);
  work_queue& q = *queue_of(def->stream);
  attached answer = answer_to(f, *def);
  answer.lease_ms = static_cast<std::uint32_t>(options_.lease_ns / ms_ns);
  answer.next_sequence = q.next_sequence();
  answer.lowest_sequence = q.floor();
  switch (f.role) {
    case attach_role::produce:
      if (!attach_producer(s, f, answer)) return;
      break;
    case attach_role::consume: attach_consumer(s, q); break;
    case attach_role::replies:
      return refuse_attach(s, f.request, errc::denied, "a pipeline has no replies");
  }
  send_attached(s, answer);
}

void pipeline::attach_consumer(const session& s, work_queue& q) {
  if (consumers_.find(s.number, q.def().stream) != 0) return;
  consumer c;
  c.kind = consumer_kind::reliable;
  c.name = name_of(s);
  c.session = s.number;
  c.peer = s.peer;
  c.simple = s.simple;
  c.lease_ns = options_.lease_ns;
  consumers_.add(s.number, q.def().stream, q.join(std::move(c)).id);
}

void pipeline::on_credit(const session& s, const frame_in& frame) {
  const result<credit> f =
      s.simple ? decode_credit_simple(frame.head.bytes()) : decode_credit(frame.head.bytes());
  const consumer_id id = f ? consumers_.find(s.number, f->stream) : 0;
  if (id == 0) {
    count_bad_frame();
    return;
  }
  work_queue& q = *queues_.find(f->stream);
  q.set_credit(id, f->messages_total, f->bytes_total, f->whole_blocks && !s.simple);
  mark(q);
}

void pipeline::on_ack(const session& s, const frame_in& frame) {
  const result<ack> f =
      s.simple ? decode_ack_simple(frame.head.bytes()) : decode_ack(frame.head.bytes());
  if (!f || consumers_.find(s.number, f->stream) == 0) {
    count_bad_frame();
    return;
  }
  work_queue& q = *queues_.find(f->stream);
  for (const range& r : f->ranges) q.ack(r, now_.at);
  acked_later(s, f->stream, f->number);
  mark(q);
}

void pipeline::on_nack(const session& s, const frame_in& frame) {
  const result<nack> f = decode_nack(frame.head.bytes());
  const consumer_id id = f ? consumers_.find(s.number, f->stream) : 0;
  if (id == 0) {
    count_bad_frame();
    return;
  }
  work_queue& q = *queues_.find(f->stream);
  q.nack(id, *f, now_.at);
  mark(q);
}

void pipeline::on_touch(const session& s, const frame_in& frame) {
  const result<touch> f = decode_touch(frame.head.bytes());
  const consumer_id id = f ? consumers_.find(s.number, f->stream) : 0;
  if (id == 0) {
    count_bad_frame();
    return;
  }
  work_queue& q = *queues_.find(f->stream);
  q.touch(id, *f, now_.at);
  mark(q);
}

/// The frame that carries a run; the driver cuts it and patches the head.
frame_out pipeline::delivery(const grant& g) {
  frame_out made;
  made.to = g.to->peer;
  made.body = g.what;
  if (g.to->kind == consumer_kind::reliable) {
    made.form = g.to->simple ? frame_form::simple : frame_form::hfp;
    deliver head;
    head.stream = g.what.stream;
    head.first_sequence = g.what.first;
    head.count = static_cast<std::uint16_t>(g.what.count);
    head.attempt = g.attempt;
    head.redelivered = g.redelivered;
    encode(made.head, g.to->session, head);
    return made;
  }
  made.form = frame_form::plain;
  if (g.to->kind == consumer_kind::ack_back) {
    std::array<std::byte, 16> id{};
    store(id.data(), g.what.stream);
    store(id.data() + 4, queues_.find(g.what.stream)->def().epoch);
    store(id.data() + 8, g.what.first);
    made.head.assign(id);
  }
  return made;
}

}  // namespace holdfast
