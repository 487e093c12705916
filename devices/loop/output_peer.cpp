#include "devices/loop/output_peer.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

std::string word_of(plain_tracking tracking) {
  switch (tracking) {
    case plain_tracking::separate: return "separate";
    case plain_tracking::shared: return "shared";
    case plain_tracking::ack_back: return "ack_back";
    case plain_tracking::all_wait: return "all_wait";
    case plain_tracking::lossy: return "lossy";
  }
  return "plain";
}

}  // namespace

output_peer::output_peer(const output_terms& terms, std::string name, bool tells_unsent)
    : terms_(&terms), name_(std::move(name)), tells_unsent_(tells_unsent) {
  queue_.set_transform(terms.transform.get());
}

void output_peer::introduce(engine& to, peer_id number, std::uint64_t now_ns) {
  number_ = number;
  told_ = {number, 0, 0, false};
  queue_ = {};
  queue_.set_transform(terms_->transform.get());
  crowded_ = idle_ = false;
  checked_bytes_ = checked_handed_ = 0;
  now_ns_ = blocked_since_ns_ = now_ns;
  const plain_output& o = terms_->options;
  plain_peer peer;
  peer.peer = number;
  peer.tracking = o.peers;
  peer.name = name_.empty() ? word_of(o.peers) : name_;
  peer.stream = terms_->stream;
  peer.in_doubt_messages = o.in_doubt_messages;
  peer.in_doubt_bytes_min = o.in_doubt_bytes_min;
  peer.in_doubt_bytes = o.in_doubt_bytes;
  peer.settle_idle_ns = o.settle_idle_ns;
  peer.durable = o.durable;
  to.on_plain_joined(terms_->channel, peer);
}

void output_peer::lose(engine& to) {
  if (number_ == 0) return;
  // What an xpub was handed while its connection broke went nowhere.
  if (terms_->kind == socket_kind::push) tell(to);
  to.on_peer_lost(terms_->channel, number_);
}

void output_peer::block(bool blocked) noexcept {
  blocked_ = blocked;
  if (blocked) blocked_since_ns_ = now_ns_;
}

bool output_peer::pump(engine& to, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  if (number_ == 0 || terms_->kind == socket_kind::dealer) return false;
  if (blocked_ && try_again(now_ns)) blocked_ = false;
  if (busy()) hand_over(to);
  check_unsent();
  return tell(to);
}

bool output_peer::stuck(std::uint64_t now_ns) const noexcept {
  return terms_->kind == socket_kind::push && !terms_->apart() && blocked_ && !queue_.empty() &&
         now_ns - blocked_since_ns_ >= recall_ns;
}

// It costs system calls: after many bytes, and once a second to learn that the peer is idle.
void output_peer::check_unsent() {
  const std::uint64_t given = handed(), bytes = queue_.handed_bytes();
  if (given == 0 || (idle_ && given == checked_handed_)) return;
  const std::uint64_t pause = crowded_ ? crowd_pause_ns_ : idle_check_ns;
  if (bytes - checked_bytes_ < check_bytes &&
      given - checked_handed_ < terms_->ahead_max(bytes_each()) && now_ns_ - checked_ns_ < pause)
    return;
  // Who cannot be asked may be quiet and have read nothing.
  idle_ = false;
  if (tells_unsent_) look_at_unsent();
  checked_ns_ = now_ns_;
  checked_bytes_ = bytes;
  checked_handed_ = given;
}

/// Messages a peer may have in its local queue. Where it can be asked, few enough that one which
/// stops reading is found crowded before it refuses anything: what is queued here cannot go to
/// others.
std::uint64_t output_peer::ahead() const noexcept {
  if (!tells_unsent_) return plain_queue::messages_max;
  return std::clamp<std::uint64_t>(check_bytes / bytes_each(), 1, terms_->ahead_max(bytes_each()));
}

bool output_peer::crowds(std::uint64_t bytes) const noexcept {
  const std::uint64_t each = bytes_each();
  return bytes > crowd_bytes || bytes / each > 2 * terms_->ahead_max(each);
}

std::uint64_t output_peer::bytes_each() const noexcept {
  return 1 + queue_.handed_bytes() / std::max<std::uint64_t>(queue_.handed(), 1);
}

bool output_peer::tell(engine& to) {
  if (deaf()) return false;
  plain_report now{number_, handed(), queue_.pushed(), false};
  if (!blocked_ && !crowded_) now.room = now.handed + ahead();
  now.room = std::max(now.room, told_.room);
  now.idle = queue_.empty() && idle_ && now.handed == checked_handed_;
  if (now.handed == told_.handed && now.room == told_.room && now.idle == told_.idle) return false;
  told_ = now;
  to.on_plain_report(terms_->channel, now);
  return true;
}

std::uint64_t output_peer::next_deadline() const noexcept {
  if (number_ == 0 || terms_->kind == socket_kind::dealer) return never_ns;
  std::uint64_t next = never_ns;
  if (crowded_) next = checked_ns_ + crowd_pause_ns_;
  if (terms_->kind == socket_kind::push && !terms_->apart() && blocked_ && !queue_.empty())
    next = std::min(next, blocked_since_ns_ + recall_ns);
  if (handed() > 0 && !(idle_ && handed() == checked_handed_))
    next = std::min(next, checked_ns_ + idle_check_ns);
  return next;
}

}  // namespace holdfast
