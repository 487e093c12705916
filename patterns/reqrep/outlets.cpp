#include "patterns/reqrep/outlets.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t run_messages_max = 256;

}  // namespace

outlets::outlet& outlets::make(peer_id peer) {
  outlet& o = all_[++last_id_];
  o.id = last_id_;
  o.peer = peer;
  return o;
}

void outlets::mark(outlet& o) {
  if (!std::exchange(o.dirty, true)) dirty_.push_back(o.id);
}

void outlets::attach(const session& s, service& of) {
  const stream_id replies = of.replies().def().stream;
  if (by_session_.contains({s.number, replies})) return;
  outlet& o = make(s.peer);
  o.session = s.number;
  o.client = s.producer;
  o.simple = s.simple;
  by_session_[{s.number, replies}] = o.id;
  by_client_[{s.producer, replies}] = o.id;
  if (planted(bug::stored_replies_kept_back)) return mark(o);
  for (const auto& [sequence, row] : of.stored)
    if (row.client == s.producer && row.visible && !row.closed) o.line.push_back({&of, sequence});
  mark(o);
}

void outlets::credit(std::uint32_t session, const holdfast::credit& f) {
  const auto at = by_session_.find({session, f.stream});
  if (at == by_session_.end()) return;
  outlet& o = all_.at(at->second);
  o.messages_total = std::max(o.messages_total, f.messages_total);
  o.bytes_total = std::max(o.bytes_total, f.bytes_total);
  o.stalled = false;
  mark(o);
}

void outlets::leave(std::uint32_t session) {
  auto at = by_session_.lower_bound({session, 0});
  while (at != by_session_.end() && at->first.first == session) {
    const outlet& o = all_.at(at->second);
    const auto client = by_client_.find({o.client, at->first.second});
    if (client != by_client_.end() && client->second == o.id) by_client_.erase(client);
    all_.erase(at->second);
    at = by_session_.erase(at);
  }
}

void outlets::drop(outlet_id id) {
  by_peer_.erase(all_.at(id).peer);
  all_.erase(id);
}

void outlets::lost(peer_id peer) {
  const auto at = by_peer_.find(peer);
  if (at == by_peer_.end()) return;
  outlet& o = all_.at(at->second);
  const auto forget = [](service* of, std::uint64_t sequence) {
    if (const auto row = of->stored.find(sequence); row != of->stored.end()) row->second.peer = 0;
  };
  for (const waiting& w : o.line) forget(w.of, w.sequence);
  if (o.open_of) forget(o.open_of, o.open.first);
  drop(o.id);
}

bool outlets::offer(service& of, std::uint64_t sequence, const reply_row& row) {
  outlet* to = nullptr;
  if (row.client != 0) {
    const auto at = by_client_.find({row.client, of.replies().def().stream});
    if (at != by_client_.end()) to = &all_.at(at->second);
  } else if (row.peer != 0) {
    const auto at = by_peer_.find(row.peer);
    to = at != by_peer_.end() ? &all_.at(at->second) : &make(row.peer);
    by_peer_[row.peer] = to->id;
  }
  if (!to) return false;
  to->line.push_back({&of, sequence});
  mark(*to);
  return true;
}

void outlets::flush() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const auto at = all_.find(dirty_[i]);
    if (at == all_.end()) continue;
    at->second.dirty = false;
    send_next(at->second);
  }
  dirty_.clear();
}

void outlets::send_next(outlet& o) {
  while (!o.open_of && !o.stalled && !o.line.empty()) {
    const waiting next = o.line.front();
    const auto row = next.of->stored.find(next.sequence);
    if (row == next.of->stored.end() || row->second.closed) {
      o.line.pop_front();
      continue;
    }
    if (o.session != 0 && (o.messages_taken >= o.messages_total || o.bytes_taken >= o.bytes_total))
      return;
    send_run(o, row->second);
  }
  if (o.session == 0 && o.line.empty() && !o.open_of) drop(o.id);
}

void outlets::send_run(outlet& o, const reply_row& row) {
  service& of = *o.line.front().of;
  const std::uint64_t first = o.line.front().sequence;
  const std::uint64_t most =
      o.session == 0
          ? 1
          : std::min<std::uint64_t>(o.messages_total - o.messages_taken, run_messages_max);
  std::uint64_t count = 0;
  std::uint8_t again = row.delivered;
  while (count < most && !o.line.empty() && o.line.front().of == &of &&
         o.line.front().sequence == first + count) {
    const auto next = of.stored.find(first + count);
    if (next == of.stored.end() || next->second.closed || next->second.delivered != again) break;
    o.line.pop_front();
    ++count;
  }
  o.open_of = &of;
  o.open = {first, count};
  run what;
  what.stream = of.replies().def().stream;
  what.first = first;
  what.count = what.reach = static_cast<std::uint32_t>(count);
  what.bytes = o.session == 0 ? ~std::uint64_t{0} : o.bytes_total - o.bytes_taken;
  what.token = std::uint64_t{what.stream} << 32 | o.id;
  frame_out made;
  made.to = o.peer;
  if (o.session == 0) {
    made.form = frame_form::enveloped;
    made.envelope = row.envelope;
    what.skip_parts = 1;
  } else {
    made.form = o.simple ? frame_form::simple : frame_form::hfp;
    deliver head;
    head.stream = what.stream;
    head.first_sequence = first;
    head.count = static_cast<std::uint16_t>(count);
    head.redelivered = again;
    encode(made.head, o.session, head);
  }
  made.body = std::move(what);
  out_.send(std::move(made));
}

bool outlets::awaits(const run& what) const {
  const auto at = all_.find(static_cast<outlet_id>(what.token));
  return at != all_.end() && at->second.open_of;
}

outlets::taken outlets::on_cut(const cut& what) {
  const auto at = all_.find(static_cast<outlet_id>(what.token));
  if (at == all_.end() || !at->second.open_of) return {};
  outlet& o = at->second;
  service* of = std::exchange(o.open_of, nullptr);
  taken made{
      of, {o.open.first, std::min<std::uint64_t>(what.count, o.open.count)}, o.session == 0, {}};
  std::uint64_t rest = made.left.end();
  if (what.missing.count != 0 && what.missing.first <= rest && what.missing.end() > rest) {
    made.missing = {rest, std::min(what.missing.end(), o.open.end()) - rest};
    rest = made.missing.end();
  }
  o.messages_taken += made.left.count;
  o.bytes_taken += what.bytes;
  o.stalled = rest == o.open.first;
  for (std::uint64_t sequence = o.open.end(); sequence > rest;) o.line.push_front({of, --sequence});
  for (std::uint64_t sequence = made.left.first; sequence < made.left.end(); ++sequence)
    if (const auto row = of->stored.find(sequence); row != of->stored.end())
      row->second.delivered = 2;
  if (o.stalled)
    stalled_.push_back(o.id);
  else
    mark(o);
  return made;
}

void outlets::wake_stalled() {
  for (const outlet_id id : std::exchange(stalled_, {}))
    if (const auto at = all_.find(id); at != all_.end()) {
      at->second.stalled = false;
      mark(at->second);
    }
}

}  // namespace holdfast
