#include "patterns/session/sessions.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {
namespace {

constexpr std::size_t resets_remembered = 4096;  // peers; beyond it the memory starts afresh

}  // namespace

sessions::sessions(session_options options, catalog& names, outgoing& out, frame_counters& counters,
                   std::uint64_t seed)
    : options_(std::move(options)),
      names_(names),
      out_(out),
      counters_(counters),
      next_number_(static_cast<std::uint32_t>(random_source(seed).next()) | 1) {}

std::string sessions::key(std::string_view producer_id) const {
  std::string made = options_.channel;
  made.push_back('\0');
  return made.append(producer_id);
}

void sessions::start(instant at) {
  const std::string mine = key("");
  names_.for_each_producer([&](const producer_def& def) {
    if (def.named || !def.id.starts_with(mine)) return;
    forget_at_[def.number] = at.now_ns + options_.forget_after_ns;
    forget_.emplace(at.now_ns + options_.forget_after_ns, def.number);
  });
}

const session* sessions::on_frame(const frame_in& frame, const frame_prefix& prefix, instant at) {
  if (prefix.type == frame_type::hello) {
    on_hello(frame, prefix, at);
    return nullptr;
  }
  const auto open = by_peer_.find(frame.from);
  if (open == by_peer_.end()) {
    reset(frame.from, prefix.session, at);
    return nullptr;
  }
  session& s = open->second;
  if (s.number != prefix.session && !options_.planted.ignore_number) {
    ++counters_.stale_frames;
    reset(frame.from, prefix.session, at);
    return nullptr;
  }
  s.heard_ns = at.now_ns;
  if (prefix.type == frame_type::bye) {
    close(frame.from, at, ending::bye);
    return nullptr;
  }
  if (prefix.type == frame_type::ping) {
    small_head head;
    encode_bare(head, frame_type::pong, s.number);
    out_.send_head(s.peer, head);
    return nullptr;
  }
  return prefix.type == frame_type::pong ? nullptr : &s;
}

void sessions::on_hello(const frame_in& frame, const frame_prefix& prefix, instant at) {
  const result<hello> asked = decode_hello(frame.head.bytes());
  const bool other_version =
      prefix.major != protocol_major ||
      (asked && (asked->version_min > protocol_major || asked->version_max < protocol_major));
  if (other_version) {
    small_head head;
    encode_refuse_version(head, protocol_major, protocol_major);
    return out_.send_head(frame.from, head);
  }
  if (!asked || asked->producer_id.empty() || (asked->heartbeat_ms == 0 && !asked->simple)) {
    ++counters_.bad_frames;
    return;
  }
  const producer_def* known = names_.find_producer(key(asked->producer_id));
  if (const auto open = by_peer_.find(frame.from); open != by_peer_.end()) {
    if (known && known->number == open->second.producer && known->nonce == asked->nonce) {
      open->second.heard_ns = at.now_ns;
      return welcome_again(open->second);
    }
    close(frame.from, at, ending::lost);
  }
  if (!admit(frame, *asked, known, at)) return;
  const bool same_instance = known && known->nonce == asked->nonce;
  if (!same_instance) {
    known = &names_.define_producer(key(asked->producer_id), asked->named,
                                    known ? known->epoch + 1 : 1, asked->nonce, at, out_.pending());
    last_definition_ = out_.last();
  }
  open(frame.from, *asked, *known, at);
}

/// Limits, fencing, and the end of the id's older session.
bool sessions::admit(const frame_in& frame, const hello& asked, const producer_def* known,
                     instant at) {
  const bool same_instance = known && known->nonce == asked.nonce;
  // An instance that was given an epoch once and has it no more was fenced, even if a late copy of
  // its first HELLO has put its nonce back in place.
  const bool fenced = known && asked.epoch != 0 && (!same_instance || asked.epoch != known->epoch);
  if (fenced && !options_.planted.ignore_fencing && !planted(bug::fence_forgotten)) {
    refuse(frame.from, 0, errc::fenced, "a newer instance with this id took over");
    return false;
  }
  const auto older = known ? by_producer_.find(known->number) : by_producer_.end();
  const bool replaces = older != by_producer_.end();
  if (by_peer_.size() >= options_.sessions_max && !replaces) {
    refuse(frame.from, 0, errc::full, "the channel has as many sessions as it may");
    return false;
  }
  if (!known && names_.producer_count() >= options_.producers_max) {
    refuse(frame.from, 0, errc::full, "the device knows as many producers as it may");
    return false;
  }
  if (replaces && !options_.planted.ignore_older && !planted(bug::older_session_stays)) {
    const peer_id peer = older->second;
    if (!same_instance)
      refuse(peer, by_peer_.at(peer).number, errc::fenced,
             "a newer instance with this id took over");
    close(peer, at, same_instance ? ending::moved : ending::lost);
  }
  return true;
}

void sessions::open(peer_id peer, const hello& asked, const producer_def& who, instant at) {
  if (++next_number_ == 0) ++next_number_;
  session s;
  s.number = next_number_;
  s.peer = peer;
  s.producer = who.number;
  s.epoch = who.epoch;
  s.simple = asked.simple;
  s.silence_ns = std::uint64_t{asked.heartbeat_ms} * ms_ns * options_.heartbeat_misses;
  s.heard_ns = at.now_ns;
  s.window_bytes = grant_window();
  if (s.silence_ns) silent_.emplace(at.now_ns + s.silence_ns, s.number);
  by_number_[s.number] = peer;
  by_producer_[who.number] = peer;
  forget_at_.erase(who.number);
  welcome_again(by_peer_[peer] = s);
}

void sessions::welcome_again(const session& s) {
  welcome w;
  w.session = s.number;
  w.epoch = s.epoch;
  w.heartbeat_ms = static_cast<std::uint32_t>(s.silence_ns / ms_ns / options_.heartbeat_misses);
  w.window_messages = options_.window_messages;
  w.window_bytes = s.window_bytes;
  w.max_message = options_.max_message;
  out_.send_after(last_definition_, long_frame(s.peer, s.number, w));
}

std::uint64_t sessions::grant_window() noexcept {
  const std::uint64_t left =
      options_.window_bytes_all > granted_ ? options_.window_bytes_all - granted_ : 0;
  const std::uint64_t grant =
      std::max(std::min(left / 4, options_.window_bytes), options_.window_bytes_min);
  granted_ += grant;
  return grant;
}

void sessions::close(peer_id peer, instant at, ending how) {
  const auto open = by_peer_.find(peer);
  check(open != by_peer_.end(), "only an open session is closed");
  session s = open->second;
  s.lost = how == ending::lost;
  by_peer_.erase(open);
  by_number_.erase(s.number);
  granted_ -= s.window_bytes;
  if (const auto mine = by_producer_.find(s.producer);
      mine != by_producer_.end() && mine->second == peer)
    by_producer_.erase(mine);
  closed_.push_back(s);
  const producer_def* def = names_.find_producer(s.producer);
  if (!def || def->named) return;
  if (how == ending::bye) return forget(s.producer, at);
  forget_at_[s.producer] = at.now_ns + options_.forget_after_ns;
  forget_.emplace(at.now_ns + options_.forget_after_ns, s.producer);
}

void sessions::forget(std::uint32_t producer, instant at) {
  names_.forget_producer(producer, at, out_.pending());
  forget_at_.erase(producer);
  forgotten_.push_back(producer);
}

void sessions::refuse(peer_id peer, std::uint32_t number, errc code, std::string text) {
  ++counters_.refusals;
  holdfast::refuse f;
  f.code = code;
  f.permanent = code == errc::fenced;
  f.text = std::move(text);
  out_.send(long_frame(peer, number, f));
}

void sessions::reset(peer_id peer, std::uint32_t number, instant at) {
  if (reset_at_.size() >= resets_remembered && !reset_at_.contains(peer)) reset_at_.clear();
  const auto [last, first_time] = reset_at_.try_emplace(peer, at.now_ns);
  if (!first_time && at.now_ns - last->second < second_ns) return;
  last->second = at.now_ns;
  ++counters_.resets;
  small_head head;
  encode_bare(head, frame_type::reset, number);
  out_.send_head(peer, head);
}

void sessions::on_peer_lost(peer_id peer, instant at) {
  reset_at_.erase(peer);
  if (by_peer_.contains(peer)) close(peer, at, ending::lost);
}

void sessions::on_tick(instant at) {
  while (!silent_.empty() && silent_.top().first <= at.now_ns) {
    const auto number = static_cast<std::uint32_t>(silent_.top().second);
    silent_.pop();
    const session* s = find(number);
    if (!s) continue;
    const std::uint64_t until = s->heard_ns + s->silence_ns;
    if (until <= at.now_ns && planted(bug::silence_unnoticed)) continue;
    if (until <= at.now_ns)
      close(s->peer, at, ending::lost);
    else
      silent_.emplace(until, number);
  }
  while (!forget_.empty() && forget_.top().first <= at.now_ns) {
    const auto [when, producer] = forget_.top();
    forget_.pop();
    const auto still = forget_at_.find(static_cast<std::uint32_t>(producer));
    if (still != forget_at_.end() && still->second == when) forget(still->first, at);
  }
}

std::uint64_t sessions::next_deadline() const noexcept {
  return std::min(silent_.empty() ? never_ns : silent_.top().first,
                  forget_.empty() ? never_ns : forget_.top().first);
}

const session* sessions::find(std::uint32_t number) const noexcept {
  const auto peer = by_number_.find(number);
  return peer == by_number_.end() ? nullptr : &by_peer_.at(peer->second);
}

}  // namespace holdfast
