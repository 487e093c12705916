#include "devices/loop/output_peer.hpp"

#include <algorithm>

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

/// Beside a reply's parts: envelopes.
constexpr std::uint64_t frame_overhead = 64 * 1024;

}  // namespace

/// What a peer has not taken must stay well below the in-doubt bound: beside it there is what the
/// peer's own queues hold, and a hand-off settles those before it beyond so many messages, and so
/// many bytes.
std::uint64_t output_terms::ahead_max(std::uint64_t bytes_each) const noexcept {
  const std::uint64_t doubt = options.in_doubt_messages;
  const std::uint64_t small = options.in_doubt_bytes_min / 32 / bytes_each;
  return std::max(std::clamp<std::uint64_t>(doubt / 32, 1, 256), std::min(small, doubt / 4));
}

output_peer::output_peer(const output_terms& terms, socket own, socket* shared, gate_peer behind,
                         std::string name)
    : terms_(&terms),
      own_(std::move(own)),
      out_(own_ ? &own_ : shared),
      behind_(behind),
      name_(std::move(name)) {
  queue_.set_transform(terms.transform.get());
}

void output_peer::introduce(engine& to, peer_id number, std::uint64_t now_ns) {
  number_ = number;
  told_ = {number, 0, 0, false};
  queue_ = {};
  queue_.set_transform(terms_->transform.get());
  blocked_ = terms_->kind == socket_kind::push;
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

void output_peer::send(std::span<const part_out> parts) {
  gone_ = gone_ || out_->send(parts) != io::done;
}

void output_peer::note(const buffer_ref& subscription) {
  const bytes_view bytes = subscription.bytes();
  if (bytes.empty()) return;
  const std::string prefix(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  if (bytes[0] == std::byte{1}) prefixes_.insert(prefix);
  if (bytes[0] == std::byte{0}) prefixes_.erase(prefix);
}

bool output_peer::hear(engine& to) {
  readable_ = false;
  if (number_ == 0) return false;
  for (std::size_t i = 0; i < frames_max; ++i) {
    const io outcome = out_->receive(heard_, terms_->max_message + frame_overhead);
    if (outcome == io::would_block) return false;
    if (outcome == io::failed) {
      gone_ = true;
      return false;
    }
    if (outcome != io::done || heard_.empty()) continue;
    if (terms_->kind == socket_kind::xpub) note(heard_[0]);
    frame_in frame{number_, heard_[0], std::span(heard_).subspan(1), door::plain, terms_->stream};
    to.on_frames(terms_->channel, std::span(&frame, 1));
  }
  return readable_ = true;
}

bool output_peer::pump(engine& to, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  if (number_ == 0 || terms_->kind == socket_kind::dealer) return false;
  if (blocked_ && terms_->kind == socket_kind::xpub && now_ns - blocked_since_ns_ >= retry_ns)
    blocked_ = false;
  if (busy()) hand_over(to, now_ns);
  check_unsent();
  return tell(to);
}

void output_peer::hand_over(engine& to, std::uint64_t now_ns) {
  const io outcome = queue_.pump(*out_, pump_messages);
  blocked_ = outcome != io::done;
  if (blocked_) blocked_since_ns_ = now_ns;
  // Did subscriptions end meanwhile? Then tell() keeps what was just handed to itself.
  if (terms_->kind == socket_kind::xpub && terms_->apart()) hear(to);
}

bool output_peer::stuck(std::uint64_t now_ns) const noexcept {
  return terms_->kind == socket_kind::push && !terms_->apart() && blocked_ && !queue_.empty() &&
         now_ns - blocked_since_ns_ >= recall_ns;
}

// Three system calls for a peer behind the gate: after many bytes, and once a second to learn that
// it is idle.
void output_peer::check_unsent() {
  const std::uint64_t handed = queue_.handed(), bytes = queue_.handed_bytes();
  if (handed == 0 || (idle_ && handed == checked_handed_)) return;
  const std::uint64_t pause = crowded_ ? crowd_check_ns : idle_check_ns;
  if (bytes - checked_bytes_ < check_bytes &&
      handed - checked_handed_ < terms_->ahead_max(bytes_each()) && now_ns_ - checked_ns_ < pause)
    return;
  // Without a gate nobody can tell whether a quiet peer has read what it was sent.
  idle_ = false;
  if (behind_ != 0) {
    const gate_backlog left = terms_->doors->unsent(behind_);
    crowded_ = crowds(left);
    idle_ = left.idle;
    if (crowded_) {
      terms_->doors->wake_when_drained(behind_);
      crowded_ = crowds(terms_->doors->unsent(behind_));
    }
  }
  checked_ns_ = now_ns_;
  checked_bytes_ = bytes;
  checked_handed_ = handed;
}

/// Messages a peer may have in its local queue. Behind the gate few enough that a peer which stops
/// reading is found crowded before libzmq refuses anything: what is queued here cannot go to
/// others.
std::uint64_t output_peer::ahead() const noexcept {
  if (behind_ == 0) return plain_queue::messages_max;
  return std::clamp<std::uint64_t>(check_bytes / bytes_each(), 1, terms_->ahead_max(bytes_each()));
}

/// An XPUB is handed what nobody subscribes to as well: what it writes says nothing of that.
std::uint64_t output_peer::in_libzmq(const gate_backlog& left) const noexcept {
  const std::uint64_t handed = queue_.handed_framed_bytes();
  if (terms_->kind != socket_kind::push || handed < left.written) return 0;
  return handed - left.written;
}

bool output_peer::crowds(const gate_backlog& left) const noexcept {
  const std::uint64_t bytes = left.bytes + in_libzmq(left), each = bytes_each();
  return bytes > crowd_bytes || bytes / each > 2 * terms_->ahead_max(each);
}

std::uint64_t output_peer::bytes_each() const noexcept {
  return 1 + queue_.handed_bytes() / std::max<std::uint64_t>(queue_.handed(), 1);
}

bool output_peer::tell(engine& to) {
  if (deaf()) return false;
  plain_report now{number_, queue_.handed(), queue_.pushed(), false};
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
  if (crowded_) next = checked_ns_ + crowd_check_ns;
  const bool waits = blocked_ && !queue_.empty();
  if (waits && terms_->kind == socket_kind::xpub && !deaf())
    next = std::min(next, blocked_since_ns_ + retry_ns);
  if (waits && terms_->kind == socket_kind::push && !terms_->apart())
    next = std::min(next, blocked_since_ns_ + recall_ns);
  if (queue_.handed() > 0 && !(idle_ && queue_.handed() == checked_handed_))
    next = std::min(next, checked_ns_ + idle_check_ns);
  return next;
}

void output_peer::add_to(poller& p) {
  const bool waits_for_room =
      terms_->kind == socket_kind::push ? blocked_ : number_ == 0 && blocked_;
  poll_index_ = p.add(*out_, terms_->hears() && number_ != 0, waits_for_room);
}

void output_peer::take_poll(const poller& p) {
  if (blocked_ && p.writable(poll_index_)) blocked_ = false;
  readable_ = p.readable(poll_index_);
}

void output_peer::close(int linger_ms) noexcept {
  own_.set_linger(linger_ms);
}

}  // namespace holdfast
