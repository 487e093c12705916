// What becomes of requests: stored, repeated, failed, expired.
#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "patterns/envelope.hpp"
#include "patterns/reqrep/reqrep.hpp"

namespace holdfast {

bool reqrep::takes(stream_id stream, std::uint32_t count) const {
  const auto at = by_stream_.find(stream);
  if (at == by_stream_.end()) return true;
  const std::size_t there = at->second->pending.size() + at->second->asked.count();
  return there == 0 || there + count <= options_.queue_max;
}

bool reqrep::understands(stream_id, bytes_view first_part) const {
  const auto head = decode_request_head(first_part);
  return head && head->kind == request_kind::reliable;
}

std::optional<std::uint16_t> reqrep::bad_entry(stream_id stream, bytes_view body) const {
  entry_walker walker(body);
  entry e;
  for (std::uint16_t at = 0; walker.next(e); ++at)
    if (!e.voided() && !understands(stream, e.part(0))) return at;
  return std::nullopt;
}

ordinal reqrep::append_block(append_item item, std::uint32_t) {
  service& of = *service_at(item.head.stream);
  if (!of.asked.empty()) seal(of);  // numbered before this block is
  work_queue& q = of.requests();
  item.head.first_sequence = q.next_sequence();
  const record_head head = item.head;
  const buffer_ref body = item.body;
  const ordinal record = out_.add(std::move(item));
  q.append(head.count, body.size(), record, now_.at);
  requests_.mark(q);
  read_entries(of, head, body.bytes());
  return record;
}

void reqrep::read_entries(service& of, const record_head& head, bytes_view body) {
  work_queue& q = of.requests();
  stored_request r{head.first_sequence, head.producer, head.time_ns, options_.deadline_of(false),
                   options_.reply_ttl_ns};
  entry_walker walker(body);
  for (entry e; walker.next(e); ++r.sequence) {
    if (e.voided()) {
      q.settle({r.sequence, 1});
      continue;
    }
    switch (of.add_request(r, e)) {
      case service::entry_is::fresh:
        if (planted(bug::deadline_early)) of.pending.at(r.sequence).deadline_ns -= second_ns / 2;
        deadlines_.push({of.pending.at(r.sequence).deadline_ns, &of, r.sequence});
        break;
      case service::entry_is::repeated:
        on_repeat(of, r.sequence, {r.producer, decode_request_head(e.part(0))->id});
        break;
      case service::entry_is::unreadable: q.close({r.sequence, 1}, finish::dropped); break;
    }
  }
}

/// Asked before: the running execution answers, or the stored reply does, once more.
void reqrep::on_repeat(service& of, std::uint64_t sequence, const request_key& key) {
  of.requests().close({sequence, 1}, finish::settled);
  requests_.mark(of.requests());
  const request_place* place = of.find(key);
  if (!place || place->reply == 0) return;
  const auto row = of.stored.find(place->reply);
  if (row == of.stored.end()) return;
  if (row->second.closed) {
    request_row again;
    again.id = key.id;
    again.client = key.client;
    return store_text(of, again, sequence, reply_status::closed, "acked before");
  }
  if (!row->second.visible) return;  // leaves when it is
  row->second.delivered = 2;
  outlets_.offer(of, row->first, row->second);
}

void reqrep::seal(service& of) {
  if (!of.asked.empty()) {
    sealed_block made = of.asked.seal();
    const auto addresses = std::exchange(of.asked_by, {});
    append_item item;
    item.head.type = record_type::block;
    item.head.count = made.count;
    item.head.stream = of.requests().def().stream;
    item.head.time_ns = now_.at.real_ns;
    item.head.body_sum = made.body_sum;
    item.head.props_mask = made.props_mask;
    item.body = std::move(made.body);
    const std::uint64_t first = of.requests().next_sequence();
    append_block(std::move(item), 0);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      request_row& row = of.pending.at(first + i);
      row.peer = addresses[i].peer;
      row.envelope = addresses[i].envelope;
    }
  }
  if (!of.answered.empty()) seal_replies(of);
}

submitted reqrep::submit(const foreign_request& r) {
  service* of = service_named(r.service);
  std::uint64_t bytes = 0;
  for (const buffer_ref& part : r.body) bytes += part.size();
  const bool fits = r.body.size() < parts_max && bytes + head_bytes_max <= options_.max_message;
  const bytes_view envelope = r.reply_envelope.bytes();
  if (!of || !fits || !envelope_holds(envelope)) {
    ++rejected_;
    return submitted::refused;
  }
  if (failed_ || bytes > room_ || !takes(of->requests().def().stream, 1)) {
    ++rejected_;
    return submitted::full;
  }
  request_head head;
  head.kind = r.mdp ? request_kind::mdp : request_kind::plain;
  head.id = random_.bytes16();
  head.deadline_ms = (now_.at.real_ns + options_.deadline_of(r.mdp)) / ms_ns;
  head.envelope = envelope;
  std::array<std::byte, head_bytes_max> buffer;
  const std::size_t size = encode(buffer, head);
  parts_.assign(1, bytes_view(buffer).first(size));
  for (const buffer_ref& part : r.body) parts_.push_back(part.bytes());
  if (!of->asked.fits(bytes + size, parts_.size())) seal(*of);
  will_seal(*of);
  of->asked.add(parts_, now_.at.real_ns);
  of->asked_by.push_back({r.client, r.reply_envelope});
  use_room(bytes + size);
  return submitted::stored;
}

/// Its deadline passed: nobody gets it any more, and what still comes for it is late.
void reqrep::expire(service& of, pending_row at) {
  end_unanswered(of, at, finish::expired, reply_status::expired, "its deadline passed");
}

/// Beyond its service's limits, and no worker has it.
void reqrep::drop(service& of, std::uint64_t sequence) {
  const auto at = of.pending.find(sequence);
  if (at == of.pending.end())
    of.requests().close({sequence, 1}, finish::retention);
  else
    end_unanswered(of, at, finish::retention, reply_status::dropped,
                   "its service keeps no more requests, or not so long");
}

/// No worker answers it: its reliable requester is told so, a foreign client has no way to learn.
void reqrep::end_unanswered(service& of, pending_row at, finish how, std::uint16_t status,
                            std::string_view why) {
  const std::uint64_t sequence = at->first;
  const request_row row = at->second;
  work_queue& q = of.requests();
  requests_.mark(q);
  if (row.client == 0) {
    ++unanswered_;
    q.close({sequence, 1}, how);
    of.drop_request(at, 0);
    return;
  }
  q.answered({sequence, 1}, how);
  store_text(of, row, sequence, status, why);
}

void reqrep::expire_due() {
  if (planted(bug::deadline_ignored)) return;
  while (!deadlines_.empty() && deadlines_.top().real_ns <= now_.at.real_ns) {
    const deadline due = deadlines_.top();
    deadlines_.pop();
    const auto at = due.of->pending.find(due.sequence);
    if (at != due.of->pending.end() && !at->second.dead) expire(*due.of, at);
  }
}

void reqrep::handle_failures() {
  for (std::size_t i = 0; i < failures_.size(); ++i) {  // more may come meanwhile
    const failed_run f = failures_[i];
    service& of = *service_at(f.stream);
    for (std::uint64_t s = f.messages.first; s < f.messages.end(); ++s) on_failed(of, s, f);
  }
  failures_.clear();
}

void reqrep::on_failed(service& of, std::uint64_t sequence, const failed_run& f) {
  const auto at = of.pending.find(sequence);
  if (at == of.pending.end()) return;
  request_row& row = at->second;
  const worker_id held_by = std::exchange(row.worker, 0);
  row.failed = f.failed;
  if (f.dead) {
    row.dead = true;
    row.reason = f.reason;
    give_answer(of, at);
  } else if (row.attempts_max != 0 && f.failed >= row.attempts_max) {
    of.requests().give_up(sequence, f.failed, f.reason, now_.at);
    requests_.mark(of.requests());
  }
  if (const auto w = workers_.find(held_by); w != workers_.end())
    w->second.speaks->on_overdue(held_by, w->second.peer);
}

/// Of a request that was given up.
void reqrep::give_answer(service& of, pending_row at) {
  const request_row row = at->second;
  if (row.client != 0) return store_text(of, row, at->first, reply_status::failed, row.reason);
  ++unanswered_;
  of.drop_request(at, 0);
}

/// It could not be read any more; the queue has dropped it.
void reqrep::lose_request(service& of, std::uint64_t sequence) {
  const auto at = of.pending.find(sequence);
  if (at == of.pending.end() || !of.requests().finished(sequence)) return;
  at->second.reason = "the request cannot be read any more";
  give_answer(of, at);
}

}  // namespace holdfast
