#include "devices/zmtp/intake.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::zmtp {
namespace {

constexpr std::uint64_t command_bytes_max = 64 << 10, identity_bytes_max = 255;
constexpr std::uint64_t between_bytes_max = 1 << 20;

}  // namespace

seen intake::fail(std::string why) {
  phase_ = phase::failed;
  failure_ = std::move(why);
  return seen::failed;
}

void intake::expire() {
  if (!ready() && phase_ != phase::failed) fail("it has not shaken hands in time");
}

seen intake::look_at(bytes_view received, std::size_t& consumed) {
  consumed = 0;
  wanted_ = 0;
  switch (phase_) {
    case phase::signature: return greet(received, consumed);
    case phase::revision: return settle_version(received, consumed);
    case phase::greeting: return end_greeting(received, consumed);
    case phase::old_greeting: return end_old_greeting(received, consumed);
    case phase::identity: return pass_identity(received, consumed);
    case phase::handshake: return shake_hands(received, consumed);
    case phase::traffic: return read_message(received, consumed);
    case phase::failed: break;
  }
  return seen::failed;
}

// Both sides say which version they speak once they have seen the other's signature.
seen intake::greet(bytes_view received, std::size_t& consumed) {
  const bool whole = received.size() >= signature_bytes;
  if (whole && version_of(received.first(signature_bytes)) == version::unknown) {
    send(revision());
    phase_ = phase::revision;
  }
  return settle_version(received, consumed);
}

seen intake::settle_version(bytes_view received, std::size_t& consumed) {
  switch (version_of(received)) {
    case version::unknown: return seen::incomplete;
    case version::unsupported:
      return fail(
          "it speaks no ZMTP, or one older than 2.0 (ZeroMQ before 3.2): let the device "
          "connect to it instead");
    case version::v2:
      send(rest_of_greeting(version::v2, as_));
      phase_ = phase::old_greeting;
      return end_old_greeting(received, consumed);
    case version::v3: send(rest_of_greeting(version::v3, as_));
  }
  phase_ = phase::greeting;
  return end_greeting(received, consumed);
}

seen intake::end_greeting(bytes_view received, std::size_t& consumed) {
  if (received.size() < greeting_bytes) return seen::incomplete;
  const std::string_view mechanism = mechanism_of(received);
  if (mechanism != "NULL")
    return fail("it asks for the mechanism " + std::string(mechanism) +
                ", and this endpoint has none");
  send(ready_command(as_.own));
  phase_ = phase::handshake;
  consumed = greeting_bytes;
  return seen::progress;
}

seen intake::end_old_greeting(bytes_view received, std::size_t& consumed) {
  if (received.size() < old_greeting_bytes) return seen::incomplete;
  if (received[old_greeting_bytes - 1] != as_.peer_number)
    return fail("it is no " + std::string(as_.peer) + " socket");
  phase_ = phase::identity;
  consumed = old_greeting_bytes;
  return seen::progress;
}

seen intake::pass_identity(bytes_view received, std::size_t& consumed) {
  const auto head = frame_at(received);
  if (!head) return seen::incomplete;
  if (head->size > identity_bytes_max) return fail("its identity is too long");
  if (received.size() < head->bytes + head->size) return seen::incomplete;
  consumed = head->bytes + head->size;
  phase_ = phase::traffic;
  return seen::progress;
}

seen intake::shake_hands(bytes_view received, std::size_t& consumed) {
  const auto head = frame_at(received);
  if (!head) return seen::incomplete;
  if (!head->command || head->size > command_bytes_max) return fail("it sent no READY");
  const std::uint64_t whole = head->bytes + head->size;
  if (received.size() < whole) return want(whole);
  const auto said = command_in(received.subspan(head->bytes, head->size));
  if (!said) return fail("it sent a broken command");
  consumed = whole;
  return take_ready(*said);
}

seen intake::take_ready(const command& said) {
  if (said.name != "READY") return fail("it sent " + std::string(said.name) + " instead of READY");
  const std::string_view type = property(said.data, "Socket-Type");
  if (type != as_.peer) {
    send(error_command("Invalid socket type"));
    return fail("it is a " + std::string(type) + " socket, and this endpoint serves " +
                std::string(as_.peer));
  }
  phase_ = phase::traffic;
  return seen::progress;
}

seen intake::read_message(bytes_view received, std::size_t& consumed) {
  if (pass_ > 0) return pass_over(received, consumed);
  for (;;) {
    const auto head = frame_at(received.subspan(scanned_));
    if (!head) return want(0);
    const seen outcome = head->command ? read_command(*head, received, consumed)
                                       : read_part(*head, received, consumed);
    const bool next = outcome == seen::progress && consumed == 0;  // within one message
    if (!next) return outcome;
  }
}

// A ping may come between two parts of a message.
seen intake::read_command(const frame_head& head, bytes_view received, std::size_t& consumed) {
  const std::uint64_t whole = scanned_ + head.bytes + head.size;
  if (head.size > command_bytes_max) return fail("it sent a command that is too long");
  if (received.size() < whole) return want(whole);
  const auto said = command_in(received.subspan(scanned_ + head.bytes, head.size));
  if (!said) return fail("it sent a broken command");
  if (said->name == "PING") send(pong_command(said->data));
  scanned_ = whole;
  if (places_.empty()) {
    consumed = std::exchange(scanned_, 0);
    return seen::progress;
  }
  between_ += head.bytes + head.size;
  return between_ <= between_bytes_max ? seen::progress
                                       : fail("it sent too many commands within a message");
}

seen intake::read_part(const frame_head& head, bytes_view received, std::size_t& consumed) {
  if (as_.own == pushes.own) return fail("it sent a message, and is a PULL socket");
  if (head.size > limits_.part_max)
    return fail("it sent a part of " + std::to_string(head.size) + " bytes");
  dropping_ =
      dropping_ || places_.size() == limits_.parts_max || gathered_ + head.size > limits_.bytes_max;
  if (dropping_) return begin_to_pass(head, consumed);
  const std::uint64_t whole = scanned_ + head.bytes + head.size;
  if (received.size() < whole) return want(whole);
  places_.push_back({scanned_ + head.bytes, static_cast<std::size_t>(head.size)});
  gathered_ += head.size;
  scanned_ = whole;
  return head.more ? seen::progress : hand_out(received, consumed);
}

seen intake::begin_to_pass(const frame_head& head, std::size_t& consumed) {
  places_.clear();
  gathered_ = between_ = 0;
  consumed = std::exchange(scanned_, 0) + head.bytes;
  pass_ = head.size;
  last_passes_ = !head.more;
  if (pass_ > 0 || !last_passes_) return seen::progress;
  dropping_ = false;
  return seen::dropped;
}

seen intake::pass_over(bytes_view received, std::size_t& consumed) {
  if (received.empty()) return seen::incomplete;
  consumed = std::min<std::uint64_t>(pass_, received.size());
  pass_ -= consumed;
  if (pass_ > 0 || !last_passes_) return seen::progress;
  dropping_ = false;
  return seen::dropped;
}

seen intake::hand_out(bytes_view received, std::size_t& consumed) {
  parts_.clear();
  for (const place& one : places_) parts_.push_back(received.subspan(one.at, one.size));
  places_.clear();
  between_ = 0;
  bytes_ = std::exchange(gathered_, 0);
  consumed = std::exchange(scanned_, 0);
  return seen::message;
}

}  // namespace holdfast::zmtp
