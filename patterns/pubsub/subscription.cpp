#include "patterns/pubsub/subscription.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "patterns/block.hpp"

namespace holdfast {

subscription::subscription(std::uint32_t number, std::string kind, std::string name,
                           std::uint64_t born, std::uint64_t since_ns,
                           std::vector<std::string> prefixes)
    : number_(number),
      kind_(std::move(kind)),
      name_(std::move(name)),
      born_(born),
      floor_(born),
      next_(born),
      noted_(born),
      since_ns_(since_ns),
      sent_since_ns_(since_ns),
      filter_(std::make_shared<const topic_filter>(std::move(prefixes))) {}

bool subscription::want(std::vector<std::string> prefixes) {
  auto made = std::make_shared<const topic_filter>(std::move(prefixes));
  if (made->prefixes() == filter_->prefixes()) return false;
  filter_ = std::move(made);
  return true;
}

void subscription::attach(taker who) {
  check(!attached_, "a subscription has one taker");
  taker_ = std::move(who);
  attached_ = true;
  ++generation_;
  credited_ = open_ = stalled_ = held_ = whole_ = false;
  messages_total_ = messages_taken_ = bytes_total_ = bytes_taken_ = 0;
  overtaken_ = 0;
}

void subscription::detach() {
  if (!planted(bug::place_kept)) send_again();
  attached_ = false;
}

void subscription::send_again() {
  again_below_ = std::max(again_below_, next_);
  next_ = floor_;
  pieces_.clear();
  above_ = {};
  in_flight_ = in_doubt_ = 0;
  sent_since_ns_ = since_ns_;
  overtake();
}

/// The run that is under way, if there is one, is not taken in.
void subscription::overtake() noexcept {
  if (std::exchange(open_, false)) overtaken_ = token();
  ++generation_;
}

void subscription::pay(const cut& what) noexcept {
  messages_taken_ += taker_.simple ? what.sent : std::max(what.sent, what.entries);
  bytes_taken_ += what.bytes;
}

void subscription::on_overtaken_cut(const cut& what) noexcept {
  if (overtaken_ == 0 || what.token != overtaken_) return;
  overtaken_ = 0;
  pay(what);
}

void subscription::set_credit(std::uint64_t messages_total, std::uint64_t bytes_total,
                              bool whole) noexcept {
  messages_total_ = messages_total;
  bytes_total_ = bytes_total;
  credited_ = true;  // it knows that it is attached
  whole_ = whole;
  stalled_ = false;
}

/// What was to be skipped is passed over.
void subscription::skip() {
  if (next_ < skip_to_) add({next_, skip_to_, 0, skip_to_ - next_, 0, 0, 0});
}

std::optional<range> subscription::lost_below(std::uint64_t lowest) {
  if (!attached_ || !credited_ || under_way() || held_) return std::nullopt;
  skip();
  if (next_ >= lowest) return std::nullopt;
  const range lost{next_, lowest - next_};
  drop(lost);
  return lost;
}

/// Up to where what begins here was sent before, or not.
std::uint64_t subscription::boundary(std::uint64_t from) const noexcept {
  if (from < again_below_) return again_below_;
  return from < maybe_below_ ? maybe_below_ : never_ns;
}

std::uint8_t subscription::redelivered(std::uint64_t first) const noexcept {
  return first < again_below_ ? 2 : first < maybe_below_ ? 1 : 0;
}

std::optional<run> subscription::next_run(stream_id stream, std::uint64_t visible) {
  if (!attached_ || under_way() || held_ || stalled_) return std::nullopt;
  skip();
  const bool bytes_left = bytes_total_ > bytes_taken_;
  const bool outstanding = confirmed() ? in_flight_ != 0 : messages_taken_ != 0;
  if (next_ >= visible || room() == 0 || (!bytes_left && outstanding)) return std::nullopt;
  const std::uint64_t ahead = std::min(visible, boundary(next_)) - next_;
  const auto upto = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint32_t>(std::min({a, b, std::uint64_t{scan_run}}));
  };
  run r;
  r.stream = stream;
  r.first = next_;
  r.count = upto(ahead, room());
  r.bytes = bytes_left ? bytes_total_ - bytes_taken_ : 1;
  r.whole_blocks = whole_;
  r.token = token();
  r.since_ns = sent_since_ns_;
  if (!filter_->everything() && !planted(bug::filter_ignored)) r.filter = filter_;
  const bool selects = r.filter || r.since_ns != 0;
  r.reach = selects ? upto(ahead, scan_run)
                    : upto(ahead, std::uint64_t{r.count} + (whole_ ? block_messages_max : 0));
  open_ = true;
  return r;
}

range subscription::on_cut(const cut& what) {
  open_ = false;
  if (what.count > 0) {
    pay(what);
    if (next_ < again_below_) redelivered_ += what.sent;
    if (what.sent > 0) sent_since_ns_ = 0;
    add({next_, next_ + what.count, what.sent, what.count - what.sent, 0, 0,
         what.sent == 0 ? 0 : what.last_sent});
    if (!confirmed()) settle(what.sent);
  }
  stalled_ = what.count == 0 && what.missing.count == 0;
  if (what.missing.count == 0 || what.missing.end() <= next_) return {};
  const range lost{next_, what.missing.end() - next_};
  drop(lost);
  return lost;
}

void subscription::drop(range lost) {
  add({lost.first, lost.end(), 0, 0, lost.count, 0, acks() ? lost.end() - 1 : 0});
}

/// Takes [p.first, p.end): done at once if there is nothing to wait for before and in it.
void subscription::add(piece p) {
  check(p.first == next_ && p.end > p.first, "a cursor moves on without holes");
  next_ = p.end;
  in_flight_ += p.sent;
  if (pieces_.empty() && p.last == 0) {
    done_.passed += p.passed;
    done_.dropped += p.dropped;
    floor_ = p.end;
    return;
  }
  above_.passed += p.passed;
  above_.dropped += p.dropped;
  piece* last = pieces_.empty() ? nullptr : &pieces_.back();
  const bool both_dense = last && last->dense() && last->last + 1 == p.first && p.dense();
  if (!last || (p.last != 0 && !both_dense)) {
    pieces_.push_back(p);
    return;
  }
  last->end = p.end;
  last->sent += p.sent;
  last->passed += p.passed;
  last->dropped += p.dropped;
  if (p.last != 0) last->last = p.last;
}

/// Everything that left in the first piece is confirmed: the floor moves behind it.
void subscription::finish(piece& p, std::uint64_t figures::*how) {
  done_.*how += p.sent;
  done_.settled += p.settled;
  done_.passed += p.passed;
  done_.dropped += p.dropped;
  above_.settled -= p.settled;
  above_.passed -= p.passed;
  above_.dropped -= p.dropped;
  in_flight_ -= p.sent;
  since_ns_ = 0;
  floor_ = p.end;
  pieces_.pop_front();
}

void subscription::ack(std::uint64_t end) {
  while (!pieces_.empty() && end > floor_) {
    piece& p = pieces_.front();
    if (end > p.last) {
      finish(p, &figures::acked);
      continue;
    }
    const std::uint64_t below = end - p.first;
    const std::uint64_t sent = std::min(below, p.sent == 0 ? 0 : p.sent - 1);
    const std::uint64_t passed = std::min(below - sent, p.passed);
    const std::uint64_t dropped = below - sent - passed;
    p.sent -= sent;
    p.passed -= passed;
    p.dropped -= dropped;
    done_.acked += sent;
    done_.passed += passed;
    done_.dropped += dropped;
    above_.passed -= passed;
    above_.dropped -= dropped;
    in_flight_ -= sent;
    since_ns_ = 0;
    floor_ = p.first = end;
  }
  if (pieces_.empty()) leap(std::min(end, std::max(again_below_, maybe_below_)));
}

/// An ack that was lost with its session is said again in the next one, before the messages have
/// come again: they are done, and need not. What the filter would have left out counts with them.
void subscription::leap(std::uint64_t end) {
  if (end <= next_) return;
  if (open_) overtake();
  done_.acked += end - next_;
  since_ns_ = sent_since_ns_ = 0;
  floor_ = next_ = end;
}

void subscription::settle(std::uint64_t sent) {
  in_doubt_ -= std::min(in_doubt_, sent);
  while (!pieces_.empty() && sent > 0) {
    piece& p = pieces_.front();
    if (sent >= p.sent) {
      sent -= p.sent;
      finish(p, &figures::settled);
      continue;
    }
    in_flight_ -= sent;
    if (p.dense()) {
      since_ns_ = 0;
      floor_ = p.first += sent;
      done_.settled += sent;
    } else {
      p.settled += sent;
      above_.settled += sent;
    }
    p.sent -= sent;
    sent = 0;
  }
}

subscription_def_record subscription::definition() const {
  return {number_, born_, since_ns_, name_, filter_->prefixes()};
}

subscription_ack_record subscription::progress() const {
  return {number_, floor_, since_ns_, done_.acked, done_.settled, done_.passed, done_.dropped};
}

void subscription::restore(const subscription_ack_record& r, std::uint64_t as_of) {
  replay(r);
  as_of_ = as_of;
}

void subscription::replay(const subscription_ack_record& r) {
  if (r.floor < floor_) return;
  floor_ = next_ = noted_ = r.floor;
  since_ns_ = sent_since_ns_ = r.since_ns;
  done_ = {r.acked, r.settled, r.passed, r.dropped};
}

identity subscription::counts(const history& kept) const {
  const std::uint64_t gone = kept.lowest() > next_ ? kept.lowest() - next_ : 0;
  identity made;
  made.in = kept.next() - born_;
  made.acked = done_.acked;
  made.settled = done_.settled + above_.settled + done_.passed + above_.passed;
  made.dropped = done_.dropped + above_.dropped + gone;
  made.in_doubt = in_doubt_;
  made.in_flight = in_flight_ - in_doubt_;
  made.ready = kept.next() - next_ - gone;
  return made;
}

void subscription::report(group_stats& into, const history& kept) const {
  into.name = durable() ? name_ : taker_.name;
  into.kind = kind_;
  into.attached = attached();
  into.born = born_;
  into.floor = floor_;
  into.next = next_;
  into.lag = kept.next() - floor_;
  into.counts = counts(kept);
  into.passed_over = done_.passed + above_.passed;
  into.redelivered = redelivered_;
}

}  // namespace holdfast
