#include "sim/judge.hpp"

#include <algorithm>

namespace holdfast::sim {

judge::totals& judge::totals::operator+=(const totals& more) noexcept {
  sent += more.sent;
  accepted += more.accepted;
  delivered += more.delivered;
  again += more.again;
  answered += more.answered;
  return *this;
}

judge::judge(terms rules, story& told) : known_(rules), story_(told) {
  for (const checker_entry& one : checker_table()) checkers_.push_back(one.make(*this));
}

void judge::fail(const char* checker, std::string why, const message_key& about,
                 std::uint64_t now) {
  if (failed()) return;
  by_ = checker;
  why_ = std::move(why);
  about_ = about;
  story_.tell(now, "VIOLATION", checker, about);
}

// ---- those who send -----------------------------------------------------------------------------

void judge::sent(const message_key& key, channel_kind channel, std::uint64_t now,
                 std::uint64_t deadline_ns) {
  story_.tell(now, "submits", "somebody", key);
  each([&](checker& c) { c.on_sent(key, channel, now); });
  fate& f = known_.at(key);
  f.channel = channel;
  f.deadline_min_ns = f.sent_ns == 0 ? deadline_ns : std::min(f.deadline_min_ns, deadline_ns);
  f.deadline_max_ns = std::max(f.deadline_max_ns, deadline_ns);
  if (f.sent_ns != 0) return;
  f.sent_ns = now;
  ++counts_.sent;
}

void judge::accepted(const message_key& key, promise at, promise asked, std::uint64_t left_ns,
                     std::uint64_t now) {
  story_.tell(now, "is told of the accept of", "producer", key, static_cast<std::uint64_t>(at));
  each([&](checker& c) { c.on_accepted(key, at, asked, left_ns, now); });
  fate& f = known_.at(key);
  if (f.accepted_ns == 0) ++counts_.accepted;
  if (f.accepted_ns == 0 || f.excused || at > f.accepted_at) {
    f.accepted_ns = left_ns;
    f.accepted_at = at;
  }
  f.excused = f.rotten || known_.gone_since(f.accepted_at, f.accepted_ns);
}

void judge::given_up(const message_key& key, std::uint64_t now) {
  each([&](checker& c) { c.on_given_up(key, now); });
}

void judge::answered(const answer& what, std::string_view who) {
  story_.tell(what.now_ns, "has the answer to", who, what.request, what.status, what.here);
  each([&](checker& c) { c.on_answered(what); });
  ++counts_.answered;
}

void judge::abandoned(const message_key& request, std::uint64_t now) {
  story_.tell(now, "nobody waits any more for", "requester", request);
  each([&](checker& c) { c.on_abandoned(request); });
}

// ---- those who receive --------------------------------------------------------------------------

message_key judge::delivered(delivery what, const message_parts& content) {
  const auto claimed = read_key(content);
  if (claimed) what.key = *claimed;
  what.exact = claimed && content == make_message(*claimed, known_.rules().largest_message);
  return delivered(what);
}

message_key judge::delivered(const delivery& what) {
  story_.tell(what.now_ns, what.again ? "gets again" : "gets", what.who, what.key,
              what.where.sequence, what.left_ns);
  each([&](checker& c) { c.on_delivered(what); });
  if (!known_.find(what.key)) return {};
  fate& f = known_.at(what.key);
  ++counts_.delivered;
  if (f.deliveries++ > 0) ++counts_.again;
  if (what.where.sequence != 0 && what.left_ns >= f.placed_ns) {
    f.where = what.where;
    f.placed_ns = what.left_ns;
  }
  return what.key;
}

void judge::finished(const message_key& key, std::string_view who, std::uint64_t now) {
  story_.tell(now, "is done with", who, key);
  each([&](checker& c) { c.on_finished(key, now); });
  fate& f = known_.at(key);
  if (f.finished_ns == 0) f.finished_ns = now;
}

void judge::confirmed(const message_key& key, promise at, std::string_view who,
                      std::uint64_t left_ns, std::uint64_t now) {
  story_.tell(now, "is told that the device knows of", who, key);
  each([&](checker& c) { c.on_confirmed(key, at, left_ns, now); });
  fate& f = known_.at(key);
  if (f.confirmed_ns != 0 || known_.gone_since(at, left_ns)) return;
  f.confirmed_ns = left_ns;
  f.confirmed_at = at;
}

void judge::attached(const subscription_start& what, std::string_view who) {
  story_.tell(what.now_ns, "is attached, next is", who, {}, what.at.sequence, what.at.epoch);
  each([&](checker& c) { c.on_attached(what); });
}

void judge::gap(std::uint32_t subscription, std::uint64_t first, std::uint64_t count,
                std::string_view who, std::uint64_t now) {
  story_.tell(now, "is told of a gap", who, {}, first, count);
  each([&](checker& c) { c.on_gap(subscription, first, count, now); });
}

void judge::passed(std::uint32_t subscription, const place& through, promise at,
                   std::uint64_t left_ns, std::uint64_t now) {
  each([&](checker& c) { c.on_passed(subscription, through, at, left_ns, now); });
}

void judge::subscription_ended(std::uint32_t subscription) {
  each([&](checker& c) { c.on_subscription_ended(subscription); });
}

void judge::subscriber_began(std::uint32_t subscription) {
  each([&](checker& c) { c.on_subscriber_began(subscription); });
}

void judge::frame(const frame_seen& what) {
  each([&](checker& c) { c.on_frame(what); });
}

// ---- the device ---------------------------------------------------------------------------------

void judge::accounts(const account& what) {
  story_.fold(what.in);
  story_.fold(what.sum);
  story_.fold(what.acked);
  each([&](checker& c) { c.on_account(what); });
}

void judge::recovered(bool damaged, bool disk_did_harm, std::uint64_t now) {
  each([&](checker& c) { c.on_recovery(damaged, disk_did_harm, now); });
}

void judge::power_lost(std::uint64_t now) {
  each([&](checker& c) { c.on_power_lost(now); });
  known_.power_lost(now);
}

void judge::rotted(const std::vector<message_key>& keys, std::uint64_t now) {
  for (const message_key& key : keys) story_.tell(now, "rots on the disk", "a bit", key);
  known_.rot(keys);
}

// ---- the end ------------------------------------------------------------------------------------

std::uint64_t judge::open() const {
  std::uint64_t sum = 0;
  for (const auto& c : checkers_) sum += c->open();
  return sum;
}

void judge::end(std::uint64_t now) {
  each([&](checker& c) { c.at_end(now); });
}

}  // namespace holdfast::sim
