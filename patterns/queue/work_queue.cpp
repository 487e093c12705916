#include "patterns/queue/work_queue.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "patterns/block.hpp"
#include "patterns/range_list.hpp"

namespace holdfast {
namespace {

constexpr std::size_t ranges_a_record = 16 * 1024;

}  // namespace

work_queue::work_queue(work_queue_options options, stream_def def, outgoing& out,
                       std::deque<awaited>& waits, random_source& jitter)
    : options_(options),
      def_(std::move(def)),
      out_(out),
      waits_(waits),
      jitter_(jitter),
      backlog_(leases_.held()),
      marks_(options.limits) {}

void work_queue::append(std::uint32_t count, std::uint64_t bytes, ordinal record, instant at) {
  if (marks_.used()) marks_.append(backlog_.next_sequence(), count, bytes, at.real_ns);
  backlog_.extend(count);
  counts_.in += count;
  counts_.ready += count;
  waits_.push_back({record, def_.stream, awaited::kind::visible, backlog_.next_sequence()});
  note_handout(at);
  if (planted(bug::visible_early)) set_visible(next_sequence());
}

/// Keeps the durable mark ahead of what is handed out, so that nobody waits for it.
void work_queue::note_handout(instant at) {
  if (handout_asked_ >= backlog_.next_out() + handout_ahead / 2) return;
  handout_asked_ = backlog_.next_out() + handout_ahead;
  if (planted(bug::handout_unnoted)) return set_handout(handout_asked_);
  const ordinal record =
      out_.add(encode_record(def_.stream, at, group_handout_record{handout_asked_}));
  waits_.push_back({record, def_.stream, awaited::kind::handout, handout_asked_});
}

consumer& work_queue::join(consumer made) {
  return consumers_.add(std::move(made));
}

void work_queue::set_credit(consumer_id id, std::uint64_t messages_total, std::uint64_t bytes_total,
                            bool whole_blocks) {
  consumer* c = consumers_.find(id);
  if (!c) return;
  c->messages_total = std::max(c->messages_total, messages_total);
  c->bytes_total = std::max(c->bytes_total, bytes_total);
  c->whole_blocks = whole_blocks;
  c->stalled = false;
  consumers_.changed(*c);
}

std::optional<grant> work_queue::next_grant(instant at) {
  consumer* c = consumers_.next();
  if (!c) return std::nullopt;
  pick p = backlog_.next(fresh_locked_by_ == 0);
  if (p.empty()) return std::nullopt;
  const std::uint64_t able = consumers_.able();
  const std::uint64_t share = (backlog_.offer() + able - 1) / able;
  const std::uint64_t want = std::clamp<std::uint64_t>(
      std::min(share, c->room()) + planted(bug::credit_one_more), 1, p.end - p.first);
  const std::uint64_t over = c->whole_blocks ? block_messages_max : 0;
  const std::uint64_t reach = std::min({p.end - p.first, want + over, std::uint64_t{0xffff}});
  p.end = p.first + reach;
  backlog_.take(p, p.end);
  leases_.grant(p.first, p.end, {c->id, p.state.failed, p.state.redelivered});
  counts_.ready -= reach;
  counts_.in_flight += reach;
  c->in_flight += reach;
  c->is_open = true;
  c->open = p;
  c->open_end = p.end;
  c->served = consumers_.stamp();
  if (p.fresh && c->whole_blocks) fresh_locked_by_ = c->id;
  consumers_.changed(*c);
  note_handout(at);
  grant made;
  made.to = c;
  made.what.stream = def_.stream;
  made.what.first = p.first;
  made.what.count = static_cast<std::uint32_t>(std::min(want, reach));
  made.what.bytes = c->byte_room();
  made.what.whole_blocks = c->whole_blocks;
  made.what.reach = static_cast<std::uint32_t>(reach);
  made.what.token = std::uint64_t{def_.stream} << 32 | c->id;
  made.attempt = static_cast<std::uint16_t>(p.state.failed + 1);
  made.redelivered = p.state.redelivered;
  return made;
}

bool work_queue::awaits(consumer_id id) noexcept {
  const consumer* c = consumers_.find(id);
  return c && c->is_open;
}

range work_queue::on_cut(consumer_id id, const cut& what, instant at) {
  consumer* c = consumers_.find(id);
  if (!c || !c->is_open) return {};
  const std::uint64_t first = c->open.first;
  std::uint64_t end = first + std::min<std::uint64_t>(what.count, c->open_end - first);
  if (planted(bug::double_dispatch) && end > first) --end;
  leases_.change(first, end, id, [&](hold& h, std::uint64_t) {
    h.delivered = true;
    if (c->lease_ns == never_ns) return;
    h.until_ns = at.now_ns + c->lease_ns;
    h.cap_ns = at.now_ns + c->lease_ns * options_.touches_max;
  });
  if (!planted(bug::credit_forgotten)) c->messages_taken += end - first;
  c->bytes_taken += what.bytes;
  if (c->open.state.redelivered == 2) redelivered_ += end - first;
  std::uint64_t rest = end;
  if (what.missing.count != 0 && what.missing.first <= end && what.missing.end() > end) {
    rest = std::min(what.missing.end(), c->open_end);
    finish_range({end, rest - end}, finish::dropped, id);
  }
  c->stalled = rest == first;
  return_rest(*c, rest);
  close_open(*c);
  return {first, end - first};
}

/// [from, open_end) was not taken: it is where it was before.
void work_queue::return_rest(consumer& c, std::uint64_t from) {
  if (from == c.open_end) return;
  std::vector<range> left;
  leases_.carve(
      from, c.open_end, [&](const hold& h) { return h.owner == c.id; },
      [&](std::uint64_t first, std::uint64_t end, const hold& h) {
        unhold(h, end - first);
        left.push_back({first, end - first});
      });
  const bool intact = left.size() == 1 && left[0] == range{from, c.open_end - from};
  if (intact && c.open.fresh && backlog_.untake(from, c.open_end)) {
    counts_.ready += left[0].count;
    return;
  }
  for (const range& r : left) again_ready(r.first, r.end(), c.open.state);
}

void work_queue::close_open(consumer& c) {
  c.is_open = false;
  if (fresh_locked_by_ == c.id) fresh_locked_by_ = 0;
  consumers_.changed(c);
}

void work_queue::again_ready(std::uint64_t first, std::uint64_t end, again state) {
  backlog_.ready_again.insert(first, end, state);
  counts_.ready += end - first;
}

void work_queue::leave(consumer_id id) {
  consumer* c = consumers_.find(id);
  if (!c) return;
  if (c->is_open) {
    return_rest(*c, c->open.first);
    close_open(*c);
  }
  const bool always_seen = c->kind == consumer_kind::reliable ||
                           c->kind == consumer_kind::ack_back || c->kind == consumer_kind::worker;
  if (c->in_flight + c->in_doubt != 0)
    leases_.carve(
        0, never_ns, [&](const hold& h) { return h.owner == id; },
        [&](std::uint64_t first, std::uint64_t end, const hold& h) {
          unhold(h, end - first);
          if (planted(bug::lost_worker_keeps)) return;
          const bool seen = (always_seen && h.delivered) || h.in_doubt;
          again_ready(first, end, {h.failed, seen ? std::uint8_t{2} : h.redelivered});
        });
  check(c->in_flight == 0 && c->in_doubt == 0, "a consumer that left holds nothing");
  consumers_.remove(id);
}

void work_queue::lose(consumer_id id, std::uint64_t delay_ns, instant at) {
  if (!consumers_.find(id)) return;
  // A cap is set once, when a message leaves: the lowest tells the order of deliveries.
  std::uint64_t first = 0, cap = 0;
  for (const auto& [from, run] : leases_.held()) {
    const hold& h = run.value;
    if (h.owner != id || !h.delivered || h.in_doubt || (first != 0 && h.cap_ns >= cap)) continue;
    first = from;
    cap = h.cap_ns;
  }
  const range oldest{first, 1};
  std::vector<piece> blamed;
  if (first != 0) blamed = take_held({&oldest, 1}, id);
  leave(id);
  fail(blamed, failure::worker_lost, delay_ns, "its worker was lost", at);
  if (delay_ns == at_once_ns) wake(at.now_ns);
}

void work_queue::wake(std::uint64_t now_ns) {
  if (planted(bug::delayed_for_ever)) return;
  const std::uint64_t woken = backlog_.wake(now_ns);
  counts_.delayed -= woken;
  counts_.ready += woken;
}

void work_queue::unhold(const hold& h, std::uint64_t count) {
  consumer* c = consumers_.find(h.owner);
  check(c != nullptr, "whoever holds messages is there");
  (h.in_doubt ? counts_.in_doubt : counts_.in_flight) -= count;
  (h.in_doubt ? c->in_doubt : c->in_flight) -= count;
  consumers_.changed(*c);
}

range work_queue::clip(range r) const noexcept {
  const std::uint64_t end =
      std::min(r.count > ~r.first ? ~std::uint64_t{0} : r.end(), backlog_.next_sequence());
  const std::uint64_t first = std::max<std::uint64_t>(r.first, 1);
  return first < end ? range{first, end - first} : range{first, 0};
}

void work_queue::mark_done(std::uint64_t first, std::uint64_t end, finish how) {
  check(backlog_.done.mark(first, end) == end - first, "a message is finished once");
  std::uint64_t& count = how == finish::acked     ? counts_.acked
                         : how == finish::settled ? counts_.settled
                         : how == finish::expired ? counts_.expired
                                                  : counts_.dropped;
  count += end - first;
  if (how == finish::retention) dropped_by_retention_ += end - first;
  if (marks_.used()) marks_.finish(first, end);
  if (started_ && !told_elsewhere_)
    add_range(finished_[static_cast<std::size_t>(how)], {first, end - first});
}

/// Finishes what is not finished yet in `r`, wherever it is; `only`: just what that consumer holds.
std::uint64_t work_queue::finish_range(range r, finish how, consumer_id only, bool even_unseen) {
  r = clip(r);
  std::uint64_t finished = 0;
  const auto done = [&](std::uint64_t first, std::uint64_t end) {
    finished += end - first;
    mark_done(first, end, how);
  };
  // Nobody can ack what never left: a range may come from a peer that counts wrongly.
  const bool any = how != finish::acked || even_unseen;
  leases_.carve(
      r.first, r.end(),
      [&](const hold& h) {
        return (only == 0 || h.owner == only) && (any || h.delivered || h.redelivered);
      },
      [&](std::uint64_t first, std::uint64_t end, const hold& h) {
        unhold(h, end - first);
        if (how == finish::acked) consumers_.find(h.owner)->acked_ns = acked_at_ns_;
        done(first, end);
      });
  if (only != 0 || finished == r.count) return finished;
  const auto from_ready = [&](std::uint64_t first, std::uint64_t end) {
    counts_.ready -= end - first;
    done(first, end);
  };
  backlog_.ready_again.carve(
      r.first, r.end(), [&](const again& a) { return any || a.redelivered; },
      [&](std::uint64_t first, std::uint64_t end, const again&) { from_ready(first, end); });
  backlog_.delayed.carve(
      r.first, r.end(), [](const later&) { return true; },
      [&](std::uint64_t first, std::uint64_t end, const later&) {
        counts_.delayed -= end - first;
        done(first, end);
      });
  const std::uint64_t limit = any ? backlog_.next_sequence() : fresh_limit();
  backlog_.for_each_fresh(r.first, std::min(r.end(), limit), from_ready);
  return finished;
}

void work_queue::ack(range r, instant at) {
  r = clip(r);
  acked_at_ns_ = at.now_ns;
  if (planted(bug::acks_one_more)) ++r.count;
  const std::uint64_t finished = finish_range(r, finish::acked, 0);
  if (finished == r.count) return;
  std::uint64_t open = 0;  // never left: not late, but wrong
  for (std::uint64_t from = r.first;;) {
    const std::uint64_t first = backlog_.done.next_open(from);
    if (first >= r.end()) break;
    from = backlog_.done.next_done(first, r.end());
    open += from - first;
  }
  late_acks_ += r.count - finished - open;
}

void work_queue::settle(range r, consumer_id only) {
  finish_range(r, finish::settled, only);
}

std::uint64_t work_queue::close(range r, finish how) {
  return finish_range(r, how, 0, true);
}

std::uint64_t work_queue::answered(range r, finish how) {
  told_elsewhere_ = true;
  const std::uint64_t finished = finish_range(r, how, 0);
  told_elsewhere_ = false;
  if (finished && started_) out_.pending().settled.emplace_back(def_.stream, clip(r));
  return finished;
}

/// A dead letter keeps its body: the log is not told that it is over.
void work_queue::give_up(std::uint64_t sequence, std::uint16_t failed, const std::string& reason,
                         instant at) {
  const std::uint64_t before = counts_.dropped;
  told_elsewhere_ = true;
  const std::uint64_t moved = finish_range({sequence, 1}, finish::dropped, 0);
  told_elsewhere_ = false;
  counts_.dropped = before;
  if (moved == 0) return;
  counts_.dead += moved;
  dead_.add({{sequence, 1}, failure::attempts, failed, at.real_ns, reason});
  out_.add(encode_record(def_.stream, at,
                         group_dead_record{failure::attempts, failed, reason, {{sequence, 1}}}));
  if (options_.tell_failures)
    options_.tell_failures->push_back({def_.stream, {sequence, 1}, failed, true, reason});
}

void work_queue::doubt(consumer_id by, range r) {
  consumer* c = consumers_.find(by);
  if (!c) return;
  r = clip(r);
  const std::uint64_t moved = leases_.change(r.first, r.end(), by, [&](hold& h, std::uint64_t n) {
    if (h.in_doubt || !h.delivered) return;
    h.in_doubt = true;
    h.until_ns = never_ns;
    counts_.in_flight -= n;
    counts_.in_doubt += n;
    c->in_flight -= n;
    c->in_doubt += n;
  });
  if (moved) consumers_.changed(*c);
}

std::vector<work_queue::piece> work_queue::take_held(std::span<const range> ranges,
                                                     consumer_id by) {
  std::vector<piece> pieces;
  if (!consumers_.find(by)) return pieces;
  for (range r : ranges) {
    r = clip(r);
    leases_.carve(
        r.first, r.end(), [&](const hold& h) { return h.owner == by && h.delivered; },
        [&](std::uint64_t first, std::uint64_t end, const hold& h) {
          unhold(h, end - first);
          pieces.push_back({first, end, h.failed});
        });
  }
  return pieces;
}

void work_queue::nack(consumer_id by, const holdfast::nack& f, instant at) {
  std::vector<piece> pieces = take_held(f.ranges, by);
  switch (f.kind) {
    case nack_kind::release:
      if (planted(bug::release_lost)) return;
      for (const piece& p : pieces) again_ready(p.first, p.end, {p.failed, 2});
      return;
    case nack_kind::reject: {
      std::sort(pieces.begin(), pieces.end(),
                [](const piece& a, const piece& b) { return a.first < b.first; });
      for (std::size_t i = 0; i < pieces.size();) {  // one record for each count of failures
        std::vector<range> same;
        const std::uint16_t failed = pieces[i].failed;
        for (; i < pieces.size() && pieces[i].failed == failed; ++i)
          add_range(same, {pieces[i].first, pieces[i].end - pieces[i].first});
        die(std::move(same), failure::rejected, failed, f.reason, at);
      }
      return;
    }
    case nack_kind::nack:
      if (planted(bug::nack_lost)) return;
      return fail(pieces, failure::nacked, f.delay_ms * ms_ns, f.reason, at);
  }
}

void work_queue::fail(std::vector<piece>& pieces, failure why, std::uint64_t delay_ns,
                      const std::string& reason, instant at) {
  std::sort(pieces.begin(), pieces.end(), [](const piece& a, const piece& b) {
    return a.failed != b.failed ? a.failed < b.failed : a.first < b.first;
  });
  for (std::size_t i = 0; i < pieces.size();) {
    group_fail_record r;
    const std::uint16_t before = pieces[i].failed;
    for (; i < pieces.size() && pieces[i].failed == before; ++i)
      add_range(r.ranges, {pieces[i].first, pieces[i].end - pieces[i].first});
    r.failed = static_cast<std::uint16_t>(std::min(before + 1, 0xfffe));
    if (given_up(options_.redelivery, r.failed)) {
      die(std::move(r.ranges), failure::attempts, r.failed, reason, at);
      continue;
    }
    const std::uint64_t wait = delay_ns == at_once_ns ? 0
                               : delay_ns
                                   ? delay_ns
                                   : redelivery_delay(options_.redelivery, r.failed, jitter_);
    for (const range& one : r.ranges) {
      backlog_.delay(one.first, one.end(), {r.failed, at.now_ns + wait});
      counts_.delayed += one.count;
    }
    r.why = why;
    r.due_real_ns = at.real_ns + wait;
    r.reason = reason;
    if (options_.tell_failures)
      for (const range& one : r.ranges)
        options_.tell_failures->push_back({def_.stream, one, r.failed, false, reason});
    out_.add(encode_record(def_.stream, at, r));
  }
}

void work_queue::die(std::vector<range> ranges, failure why, std::uint16_t failed,
                     const std::string& reason, instant at) {
  if (ranges.empty()) return;
  for (const range& r : ranges) bury(r, why, failed, reason, at.real_ns);
  if (options_.tell_failures)
    for (const range& r : ranges)
      options_.tell_failures->push_back({def_.stream, r, failed, true, reason});
  out_.add(
      encode_record(def_.stream, at, group_dead_record{why, failed, reason, std::move(ranges)}));
}

void work_queue::bury(const range& r, failure why, std::uint16_t failed, const std::string& reason,
                      std::uint64_t real_ns) {
  check(backlog_.done.mark(r.first, r.end()) == r.count, "a message dies once");
  if (marks_.used()) marks_.finish(r.first, r.end());
  counts_.dead += r.count;
  dead_.add({r, why, failed, real_ns, reason});
}

void work_queue::touch(consumer_id by, const holdfast::touch& f, instant at) {
  const consumer* c = consumers_.find(by);
  if (!c || c->lease_ns == never_ns) return;
  const std::uint64_t extend = f.extend_ms ? f.extend_ms * ms_ns : c->lease_ns;
  for (range r : f.ranges) {
    r = clip(r);
    leases_.change(r.first, r.end(), by, [&](hold& h, std::uint64_t) {
      if (h.until_ns != never_ns) h.until_ns = std::min(at.now_ns + extend, h.cap_ns);
    });
  }
}

/// What a plain receiver holds on ack_back waits in its own queues, so that its lease runs from the
/// latest ack: as long as it acks at all it is at work.
bool work_queue::lives_on(const hold& h, std::uint64_t now_ns) {
  const consumer* c = consumers_.find(h.owner);
  return c && c->kind == consumer_kind::ack_back && now_ns < h.cap_ns &&
         now_ns < c->acked_ns + c->lease_ns;
}

void work_queue::on_tick(instant at) {
  std::vector<piece> ended;
  std::vector<std::pair<range, hold>> extended;
  leases_.expire(at.now_ns, [&](std::uint64_t first, std::uint64_t end, const hold& h) {
    if (lives_on(h, at.now_ns)) return extended.push_back({{first, end - first}, h});
    unhold(h, end - first);
    ended.push_back({first, end, h.failed});
  });
  for (auto& [messages, h] : extended) {
    const consumer& c = *consumers_.find(h.owner);
    h.until_ns = std::min(c.acked_ns + c.lease_ns, h.cap_ns);
    leases_.grant(messages.first, messages.end(), h);
  }
  if (!ended.empty()) fail(ended, failure::lease_expired, 0, "the lease ended", at);
  wake(at.now_ns);
  consumers_.wake_stalled();
}

std::uint64_t work_queue::next_deadline() {
  return std::min({leases_.next_deadline(), backlog_.next_due(), retention_due_ns_});
}

void work_queue::flush(instant at) {
  for (const finish how :
       {finish::acked, finish::settled, finish::dropped, finish::expired, finish::retention})
    flush_finished(how, at);
}

void work_queue::flush_finished(finish how, instant at) {
  std::vector<range>& list = finished_[static_cast<std::size_t>(how)];
  if (list.empty()) return;
  sort_and_merge(list);
  if (planted(bug::ack_unrecorded) && how == finish::acked) return list.clear();
  for (std::size_t i = 0; i < list.size(); i += ranges_a_record)
    out_.add(encode_record(def_.stream, at, how,
                           std::span(list).subspan(i, std::min(ranges_a_record, list.size() - i))));
  for (const range& r : list) out_.pending().settled.emplace_back(def_.stream, r);
  list.clear();
}

}  // namespace holdfast
