#include "devices/loop/socket_peer.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

/// Beside a reply's parts: envelopes.
constexpr std::uint64_t frame_overhead = 64 * 1024;

}  // namespace

socket_peer::socket_peer(const output_terms& terms, socket own, socket* shared, gate* doors,
                         gate_peer behind, std::string name)
    : output_peer(terms, std::move(name), behind != 0),
      own_(std::move(own)),
      out_(own_ ? &own_ : shared),
      doors_(doors),
      behind_(behind) {}

void socket_peer::introduce(engine& to, peer_id number, std::uint64_t now_ns) {
  output_peer::introduce(to, number, now_ns);
  blocked_ = terms_->kind == socket_kind::push;
}

void socket_peer::send(std::span<const part_out> parts) {
  gone_ = gone_ || out_->send(parts) != io::done;
}

io socket_peer::take(std::span<const part_out> parts, std::uint64_t) {
  return out_->send(parts);
}

void socket_peer::note(const buffer_ref& subscription) {
  const bytes_view bytes = subscription.bytes();
  if (bytes.empty()) return;
  const std::string prefix(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  if (bytes[0] == std::byte{1}) prefixes_.insert(prefix);
  if (bytes[0] == std::byte{0}) prefixes_.erase(prefix);
}

bool socket_peer::hear(engine& to) {
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

bool socket_peer::try_again(std::uint64_t now_ns) const noexcept {
  return terms_->kind == socket_kind::xpub && now_ns - blocked_since_ns_ >= retry_ns;
}

void socket_peer::hand_over(engine& to) {
  block(queue_.pump(*this, pump_messages) != io::done);
  // Did subscriptions end meanwhile? Then what was just handed is not told.
  if (terms_->kind == socket_kind::xpub && terms_->apart()) hear(to);
}

// Three system calls.
void socket_peer::look_at_unsent() {
  const gate_backlog left = doors_->unsent(behind_);
  crowded_ = crowds(left.bytes);
  idle_ = left.idle;
  if (!crowded_) return;
  doors_->wake_when_drained(behind_);
  crowded_ = crowds(doors_->unsent(behind_).bytes);
}

std::uint64_t socket_peer::next_deadline() const noexcept {
  const std::uint64_t next = output_peer::next_deadline();
  const bool retries =
      terms_->kind == socket_kind::xpub && blocked_ && !queue_.empty() && !deaf() && number_ != 0;
  return retries ? std::min(next, blocked_since_ns_ + retry_ns) : next;
}

void socket_peer::add_to(poller& p) {
  const bool waits_for_room =
      terms_->kind == socket_kind::push ? blocked_ : number_ == 0 && blocked_;
  poll_index_ = p.add(*out_, terms_->hears() && number_ != 0, waits_for_room);
}

void socket_peer::take_poll(const poller& p) {
  if (blocked_ && p.writable(poll_index_)) blocked_ = false;
  readable_ = p.readable(poll_index_);
}

void socket_peer::close(int linger_ms) noexcept {
  own_.set_linger(linger_ms);
}

}  // namespace holdfast
