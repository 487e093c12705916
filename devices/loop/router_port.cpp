#include "devices/loop/router_port.hpp"

#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

/// A block of one message: its entry's head, part lengths and properties beside its bytes.
constexpr std::uint64_t frame_overhead = 1 << 20;
/// Messages a peer of another protocol may leave unread before it counts as gone.
constexpr int send_hwm_messages = 1000;

socket_options options_for(const router_port::terms& bounds) {
  socket_options o = router::reliable_options();
  o.max_part = static_cast<std::int64_t>(bounds.max_message + frame_overhead);
  o.heartbeat_ms = bounds.heartbeat_ms;
  if (bounds.speaks == door::hfp) return o;
  o.send_hwm = send_hwm_messages;
  o.receive_hwm = bounds.receive_hwm_messages;
  return o;
}

/// Of the journal for a foreign frame, beside its bytes: its record's share, its head.
constexpr std::uint64_t record_overhead = 4096;
constexpr std::size_t asking_max = 16;  // a turn

// DESCRIBE needs no session, so the patterns never see it.
bool asks(const std::vector<buffer_ref>& parts) {
  if (parts.size() != 1) return false;
  const auto prefix = decode_prefix(parts[0].bytes());
  return prefix && prefix->type == frame_type::describe;
}

}  // namespace

router_port::router_port(router opened, endpoint where, std::uint32_t channel, const terms& bounds)
    : router_(std::move(opened)),
      where_(std::move(where)),
      channel_(channel),
      terms_(bounds),
      arrived_(batch_frames) {}

result<std::unique_ptr<router_port>> router_port::open(const context& in, const std::string& where,
                                                       std::uint32_t channel, const terms& bounds,
                                                       peer_id& next_peer) {
  auto parsed = parse_endpoint(where, endpoint_role::bind);
  if (!parsed) return parsed.take_status();
  auto opened = router::open(in, next_peer, options_for(bounds));
  if (!opened) return opened.take_status();
  if (status outcome = opened->attach(*parsed); !outcome) return outcome;
  return std::make_unique<router_port>(std::move(*opened), std::move(*parsed), channel, bounds);
}

bool router_port::receive(engine& to, std::uint64_t room) {
  const std::uint64_t bytes_max = terms_.max_message + frame_overhead;
  std::uint64_t bytes = 0, stored = 0;
  io outcome = io::done;
  frames_in_.clear();
  for (std::size_t tries = 0, used = 0; tries < batch_frames && bytes < batch_bytes; ++tries) {
    arrival& next = arrived_[used];
    if (std::exchange(waiting_, false))
      std::swap(next, held_);
    else
      outcome = router_.receive(next.from, next.parts, bytes_max);
    if (outcome == io::too_large) ++too_large_;
    if (outcome == io::would_block || outcome == io::failed) break;
    if (outcome != io::done || next.parts.empty()) continue;
    const std::uint64_t size = next.bytes();
    stored += size + record_overhead;
    waiting_ = pausable() && stored > room;
    if (waiting_) {
      std::swap(next, held_);
      break;
    }
    bytes += size;
    if (terms_.speaks == door::hfp && asks(next.parts)) {
      if (asking_.size() < asking_max) asking_.push_back(next.from);
      continue;
    }
    frames_in_.push_back(
        {next.from, next.parts[0], std::span(next.parts).subspan(1), terms_.speaks, stream_});
    ++used;
  }
  drained_ = waiting_ || outcome == io::would_block;
  frames_ += frames_in_.size();
  if (!frames_in_.empty()) {
    to.on_frames(channel_, frames_in_);
    for (std::size_t i = 0; i < frames_in_.size(); ++i) arrived_[i].parts.clear();
    frames_in_.clear();
  }
  return outcome != io::failed;
}

void router_port::send(peer_id to, std::span<const part_out> parts) {
  const io outcome = router_.send(to, parts);
  const bool silent = foreign()
                          ? outcome == io::would_block
                          : outcome == io::done && router_.bytes_owed(to) > terms_.session_bytes;
  if (silent) {
    ++evicted_;
    router_.forget(to);
  }
  if (outcome == io::unreachable) ++unreachable_;
  if (silent || outcome == io::unreachable) router_.displaced().push_back(to);
}

std::vector<peer_id>& router_port::lost() noexcept {
  return router_.displaced();
}

void router_port::stop_accepting() {
  if (where_.binds()) static_cast<void>(router_.raw().unbind(router_.raw().last_endpoint()));
}

const char* router_port::role() const noexcept {
  switch (terms_.speaks) {
    case door::hfp: return "reliable";
    case door::plain: return "in";
    case door::ready: return "workers";
    case door::mdp: return "mdp";
  }
  return "reliable";
}

std::string router_port::actual() const {
  return where_.binds() ? router_.raw().last_endpoint() : where_.address;
}

void router_port::close(int linger_ms) noexcept {
  router_.raw().set_linger(linger_ms);
  router_.raw().close();
}

}  // namespace holdfast
