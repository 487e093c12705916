// What a reqrep channel remembers across a stop. Rows are made by blocks and ended by later
// records; a piece of a checkpoint that was written at a position holds what was there then, and
// the records after it are replayed on it.
#include <algorithm>

#include "base/planted.hpp"
#include "patterns/reqrep/reqrep.hpp"

namespace holdfast {

void reqrep::restore(state_reader& rows) {
  while (rows.next()) {
    if (restore_row(rows, [&](stream_id stream) { return service_at(stream) != nullptr; }))
      continue;
    if (rows.kind() == row_kind::queue || rows.kind() == row_kind::queue_marks) {
      restore_queue(rows);
    } else if (rows.kind() == row_kind::request) {
      if (service* of = service_at(rows.u32())) of->read_requests(rows);
    } else if (rows.kind() == row_kind::reply) {
      if (service* of = service_at(rows.u32())) of->read_replies(rows);
    }
  }
}

void reqrep::restore_queue(state_reader& rows) {
  const std::uint64_t as_of = rows.as_of();
  const stream_id stream = rows.u32();
  service* of = service_at(stream);
  if (!of) return;
  work_queue& q = of->replies().def().stream == stream ? of->replies() : of->requests();
  if (rows.kind() == row_kind::queue_marks)
    q.restore_marks(rows);
  else
    q.restore_row(rows, as_of);
}

void reqrep::replay(std::span<const record_view> records) {
  for (const record_view& r : records) {
    const bool of_stream = r.head.stream != no_stream && r.head.type != record_type::stream_def;
    service* of = of_stream ? service_at(r.head.stream) : nullptr;
    if (of_stream && !of) continue;
    if (of && of->replies().def().stream == r.head.stream)
      replay_replies(*of, r);
    else if (of)
      replay_requests(*of, r);
    replay_front(r);
  }
}

void reqrep::replay_requests(service& of, const record_view& record) {
  const bool known = record.head.first_sequence < of.requests().next_sequence();
  of.requests().replay(record);
  const auto drop = [&](std::uint64_t sequence) {
    if (const auto at = of.pending.find(sequence); at != of.pending.end()) of.drop_request(at, 0);
    of.repeats.erase(sequence);
  };
  const auto each = [](std::span<const range> ranges, auto&& f) {
    for (const range& r : ranges)
      for (std::uint64_t s = r.first; s < r.end(); ++s) f(s);
  };
  if (record.head.type == record_type::block && !known) {
    stored_request r{record.head.first_sequence, record.head.producer, record.head.time_ns,
                     options_.deadline_of(false), options_.reply_ttl_ns};
    entry_walker walker(record.body);
    for (entry e; walker.next(e); ++r.sequence)
      if (!e.voided() && of.add_request(r, e) == service::entry_is::repeated)
        of.repeats[r.sequence] = {r.producer, decode_request_head(e.part(0))->id};
  } else if (record.head.type == record_type::group_ack) {
    if (const auto r = decode_group_ack(record.body)) each(r->ranges, drop);
  } else if (record.head.type == record_type::group_dead) {
    if (const auto r = decode_group_dead(record.body))
      each(r->ranges, [&](std::uint64_t sequence) {
        const auto at = of.pending.find(sequence);
        if (at == of.pending.end()) return;
        at->second.dead = true;
        at->second.reason = r->reason;
      });
  }
}

void reqrep::replay_replies(service& of, const record_view& record) {
  const bool known = record.head.first_sequence < of.replies().next_sequence();
  of.replies().replay(record);
  if (record.head.type == record_type::group_ack) {
    const auto r = decode_group_ack(record.body);
    if (!r) return;
    for (const range& one : r->ranges)
      for (auto row = of.stored.lower_bound(one.first);
           row != of.stored.end() && row->first < one.end();) {
        const auto at = row++;
        if (r->how == finish::acked && at->second.client != 0)
          of.close_reply(at->second);
        else
          of.drop_reply(at);
      }
    return;
  }
  if (record.head.type != record_type::block) return;
  entry_walker walker(record.body);
  entry e;
  for (std::uint64_t sequence = record.head.first_sequence; walker.next(e); ++sequence) {
    const auto head = decode_reply_head(e.part(0));
    if (!head) continue;
    if (planted(bug::reply_not_replayed)) continue;
    of.requests().answered({head->sequence, 1}, finish_of(head->status));
    const auto request = of.pending.find(head->sequence);
    if (known) {
      if (request != of.pending.end()) of.drop_request(request, 0);
      continue;
    }
    reply_row row;
    row.id = head->id;
    row.time_ns = record.head.time_ns;
    row.bytes = e.data.size();
    if (request != of.pending.end()) {
      row.client = request->second.client;
      of.drop_request(request, sequence);
    } else if (const auto again = of.repeats.find(head->sequence); again != of.repeats.end()) {
      row.client = again->second.client;
      of.repeats.erase(again);
    }
    of.add_reply(sequence, row);
  }
}

void reqrep::start(const step& now) {
  now_ = now;
  take_room();
  start_names(options_.default_service);
  const std::vector<stream_def> all(names_.streams().begin(), names_.streams().end());
  for (const stream_def& def : all)
    if (def.channel == options_.name && !def.address.ends_with(".reply") &&
        !def.address.ends_with(".dlq"))
      define_service(def);
  requests_.start(names_, now.at);
  replies_.start(names_, now.at);
  start_sessions();
  for (service& of : services_) settle_open_ends(of);
  const auto older = [](const stored_at& a, const stored_at& b) {
    return a.of->stored.at(a.sequence).time_ns < b.of->stored.at(b.sequence).time_ns;
  };
  std::stable_sort(by_age_.begin(), by_age_.end(), older);
  std::stable_sort(closed_by_age_.begin(), closed_by_age_.end(), older);
}

/// What the end of the last life left half done: rows to time, replies that are owed, repeats.
void reqrep::settle_open_ends(service& of) {
  for (auto& [sequence, row] : of.stored) {
    row.visible = true;
    row.delivered = 1;
    (row.closed ? closed_by_age_ : by_age_).push_back({&of, sequence});
    if (!row.closed) stored_bytes_ += row.bytes;
  }
  std::vector<std::uint64_t> owed;
  for (const auto& [sequence, row] : of.pending) {
    if (row.dead)
      owed.push_back(sequence);
    else
      deadlines_.push({row.deadline_ns, &of, sequence});
  }
  for (const std::uint64_t sequence : owed) give_answer(of, of.pending.find(sequence));
  std::vector<std::uint64_t> rowless;
  of.requests().for_each_open([&](std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t s = first; s < end; ++s)
      if (!of.pending.contains(s)) rowless.push_back(s);
  });
  for (const std::uint64_t sequence : rowless) {
    if (const auto again = of.repeats.find(sequence); again != of.repeats.end())
      on_repeat(of, sequence, again->second);
    else
      of.requests().close({sequence, 1}, finish::dropped);
    requests_.mark(of.requests());
  }
  of.repeats.clear();
}

// Queues first: of what a row of theirs says is finished, no later row says otherwise.
bool reqrep::snapshot(state_writer& rows, std::size_t budget) {
  if (!out_.pending().records.empty() || !touched_.empty()) return false;
  const std::size_t begin = rows.size();
  const auto left = [&] {
    const std::size_t spent = rows.size() - begin;
    return budget > spent ? budget - spent : std::size_t{1};
  };
  if (snapshot_stage_ == 0 && !requests_.snapshot(rows, budget, now_.at)) return false;
  snapshot_stage_ = std::max<std::uint8_t>(snapshot_stage_, 1);
  if (snapshot_stage_ == 1 && !replies_.snapshot(rows, left(), now_.at)) return false;
  snapshot_stage_ = std::max<std::uint8_t>(snapshot_stage_, 2);
  if (snapshot_stage_ == 2 && !snapshot_front(rows, left())) return false;
  snapshot_stage_ = 3;
  for (; snapshot_service_ < services_.size(); ++snapshot_service_) {
    const service& of = services_[snapshot_service_];
    if (!snapshot_replies_) {
      snapshot_from_ = of.write_requests(rows, snapshot_from_, left());
      if (snapshot_from_ != 0) return false;
      snapshot_replies_ = true;
    }
    snapshot_from_ = of.write_replies(rows, snapshot_from_, left());
    if (snapshot_from_ != 0) return false;
    snapshot_replies_ = false;
  }
  snapshot_stage_ = 0;
  snapshot_service_ = 0;
  return true;
}

}  // namespace holdfast
