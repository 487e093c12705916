#include "devices/loop/router_port.hpp"

#include "devices/loop/socket_router.hpp"
#include "devices/loop/wire_router.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::size_t asking_max = 16;  // a turn

// DESCRIBE needs no session, so the patterns never see it.
bool asks(const std::vector<buffer_ref>& parts) {
  if (parts.size() != 1) return false;
  const auto prefix = decode_prefix(parts[0].bytes());
  return prefix && prefix->type == frame_type::describe;
}

}  // namespace

result<std::unique_ptr<router_port>> router_port::open(const context& in, const std::string& where,
                                                       std::uint32_t channel, const terms& bounds,
                                                       peer_id& next_peer) {
  auto parsed = parse_endpoint(where, endpoint_role::bind);
  if (!parsed) return parsed.take_status();
  const bool own = bounds.speaks == door::hfp && parsed->binds() &&
                   parsed->transport != endpoint_transport::inproc;
  if (own) return wire_router::open(*parsed, channel, bounds, next_peer);
  return socket_router::open(in, *parsed, channel, bounds, next_peer);
}

void router_port::take() {
  arrival& one = coming();
  if (terms_.speaks == door::hfp && asks(one.parts)) {
    if (asking_.size() < asking_max) asking_.push_back(one.from);
    return;
  }
  frames_in_.push_back(
      {one.from, one.parts[0], std::span(one.parts).subspan(1), terms_.speaks, stream_});
}

void router_port::give(engine& to) {
  if (frames_in_.empty()) return;
  frames_ += frames_in_.size();
  to.on_frames(channel_, frames_in_);
  for (std::size_t i = 0; i < frames_in_.size(); ++i) arrived_[i].parts.clear();
  frames_in_.clear();
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

}  // namespace holdfast
