#include "sim/checker.hpp"

namespace holdfast::sim {

void checker::fail(std::string why, const message_key& key, std::uint64_t now) {
  if (failed()) return;
  why_ = std::move(why);
  about_ = key;
  story_.tell(now, "VIOLATION", "checker", key);
}

// ---- producers ----------------------------------------------------------------------------------

void checker::sent(const message_key& key, std::uint64_t now) {
  story_.tell(now, "submits", "producer", key);
  fate& f = messages_[key];
  if (f.sent_ns == 0) f.sent_ns = now;
}

void checker::accepted(const message_key& key, promise at, std::uint64_t left_ns,
                       std::uint64_t now) {
  story_.tell(now, "is told of the accept of", "producer", key, static_cast<std::uint64_t>(at));
  const auto found = messages_.find(key);
  if (found == messages_.end()) return fail("an accept for what was never sent", key, now);
  fate& f = found->second;
  if (f.accepted_ns == 0) ++accepted_;
  if (f.accepted_ns == 0 || f.excused || at > f.accepted_at) {
    f.accepted_ns = left_ns;
    f.accepted_at = at;
  }
  f.excused = gone_since(f.accepted_at, f.accepted_ns);
}

void checker::given_up(const message_key& key, std::uint64_t now) {
  fail("a good message was refused for good", key, now);
}

// ---- consumers ----------------------------------------------------------------------------------

message_key checker::delivered(std::string_view consumer, const message_parts& message,
                               const delivery& how, std::uint64_t now) {
  const auto claimed = read_key(message);
  if (!claimed) {
    fail("delivered: bytes that nobody sent", {}, now);
    return {};
  }
  const message_key key = *claimed;
  story_.tell(now, how.again ? "gets again" : "gets", consumer, key, how.where.sequence,
              how.left_ns);
  const auto found = messages_.find(key);
  if (found == messages_.end()) {
    fail("delivered: a message that was never sent", key, now);
    return {};
  }
  if (message != make_message(key, options_.largest_message))
    fail("delivered: other bytes or other parts than were sent", key, now);
  fate& f = found->second;
  ++delivered_;
  if (f.deliveries++ > 0) ++duplicates_;
  if (f.confirmed_ns != 0 && how.left_ns > f.confirmed_ns)
    fail("handed out after its ack was confirmed", key, now);
  if (how.where.sequence != 0) check_place(key, f, how, now);
  if (options_.one_consumer && how.session != 0 && !how.again) {
    place& last = last_fresh_[how.session];
    if (how.where <= last)
      fail("first deliveries of one session out of order: " + std::to_string(how.where.sequence) +
               " after " + std::to_string(last.sequence),
           key, now);
    last = how.where;
  }
  return key;
}

/// A message has one place and a place one message. Below level disk a power loss may take a place
/// away; the message may then be sent again and get another.
void checker::check_place(const message_key& key, fate& f, const delivery& how, std::uint64_t now) {
  const place& where = how.where;
  const auto [at, fresh] = places_.try_emplace(where, key);
  if (!fresh && at->second != key)
    return fail("one sequence names two messages, this one and " + to_text(at->second), key, now);
  const bool may_move = options_.may_lose_at_power && gone_since(promise::none, f.placed_ns);
  if (f.where.sequence != 0 && f.where != where && !may_move && how.left_ns >= f.placed_ns)
    return fail("stored twice, as " + std::to_string(f.where.sequence) + " and as " +
                    std::to_string(where.sequence),
                key, now);
  if (how.left_ns >= f.placed_ns) {
    f.where = where;
    f.placed_ns = how.left_ns;
  }
  check_order(key, where, now);
}

void checker::check_order(const message_key& key, const place& where, std::uint64_t now) {
  if (unordered_.contains(key.producer)) return;
  auto& line = order_[{key.producer, where.epoch}];
  const auto [at, fresh] = line.try_emplace(where.sequence, key);
  if (!fresh) return;
  const auto before = at == line.begin() ? line.end() : std::prev(at);
  const auto after = std::next(at);
  if (before != line.end() && !(before->second < key))
    return fail("stored before an earlier one of its producer, " + to_text(before->second), key,
                now);
  if (after != line.end() && !(key < after->second))
    fail("stored after a later one of its producer, " + to_text(after->second), key, now);
}

void checker::finished(const message_key& key, std::string_view consumer, std::uint64_t now) {
  story_.tell(now, "acks", consumer, key);
  fate& f = messages_[key];
  if (f.finished_ns == 0) f.finished_ns = now;
}

void checker::confirmed(const message_key& key, promise at, std::string_view consumer,
                        std::uint64_t left_ns, std::uint64_t now) {
  story_.tell(now, "is told that its ack counts of", consumer, key);
  fate& f = messages_[key];
  if (f.confirmed_ns != 0 || gone_since(at, left_ns)) return;
  f.confirmed_ns = left_ns;
  f.confirmed_at = at;
}

// ---- device -------------------------------------------------------------------------------------

bool checker::gone(promise at, std::uint64_t since, std::uint64_t lost_at) const {
  switch (at) {
    case promise::disk: return false;
    case promise::interval: return since + options_.interval_ns >= lost_at;
    case promise::process:
    case promise::none: break;
  }
  return true;
}

bool checker::gone_since(promise at, std::uint64_t since) const {
  for (const std::uint64_t lost_at : power_losses_)
    if (lost_at >= since && gone(at, since, lost_at)) return true;
  return false;
}

void checker::power_lost(std::uint64_t now) {
  power_losses_.push_back(now);
  for (auto& [key, f] : messages_) {
    if (f.accepted_ns != 0 && gone(f.accepted_at, f.accepted_ns, now)) f.excused = true;
    if (f.confirmed_ns != 0 && gone(f.confirmed_at, f.confirmed_ns, now)) f.confirmed_ns = 0;
  }
}

void checker::accounts(std::uint64_t in, std::uint64_t sum, std::uint64_t now) {
  if (in != sum)
    fail(
        "the accounting does not add up: in " + std::to_string(in) + ", sum " + std::to_string(sum),
        {}, now);
}

// ---- the end ------------------------------------------------------------------------------------

bool checker::open(const fate& f) {
  return f.accepted_ns != 0 && !f.excused && f.finished_ns == 0;
}

std::uint64_t checker::open_count() const {
  std::uint64_t count = 0;
  for (const auto& [key, f] : messages_) count += open(f) ? 1 : 0;
  return count;
}

void checker::end(std::uint64_t now) {
  for (const auto& [key, f] : messages_) {
    if (!open(f)) continue;
    return fail(f.deliveries == 0 ? "accepted and lost: never delivered"
                                  : "accepted and delivered, but never finished",
                key, now);
  }
}

}  // namespace holdfast::sim
