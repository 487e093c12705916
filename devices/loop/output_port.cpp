#include "devices/loop/output_port.hpp"

#include "devices/loop/output_peer.hpp"
#include "devices/loop/socket_output.hpp"
#include "devices/loop/wire_output.hpp"
#include "devices/transcoder.hpp"

namespace holdfast {
namespace {

bool writes_itself(const endpoint& where, socket_kind kind) {
  return where.binds() && where.transport != endpoint_transport::inproc &&
         kind == socket_kind::push;
}

status add_transform(output_terms& terms) {
  const plain_output& o = terms.options;
  if (o.transcode_to.empty()) return {};
  auto by = transcoder::open(o.transcode_from, o.transcode_to);
  if (!by) return {by.kind(), "endpoint '" + o.endpoint + "': " + std::string(by.text())};
  terms.transform = std::move(*by);
  return {};
}

}  // namespace

bool output_port::needs_gate(const plain_output& options, socket_kind kind) {
  const auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  output_terms terms;
  terms.options = options;
  return where.ok() && where->binds() && terms.apart() && !writes_itself(*where, kind);
}

result<std::unique_ptr<output_port>> output_port::open(
    const context& in, const plain_output& options, socket_kind kind, std::uint32_t channel,
    std::uint64_t max_message, std::uint64_t number, gate* through, peer_id& next_peer) {
  auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  if (!where) return where.take_status();
  if (needs_gate(options, kind) && where->transport == endpoint_transport::inproc)
    return {errc::invalid, "endpoint '" + options.endpoint +
                               "': a bound inproc endpoint cannot tell its peers apart; write "
                               "peers: shared, or use ipc://"};
  output_terms terms;
  terms.options = options;
  terms.kind = kind;
  terms.channel = channel;
  terms.max_message = max_message;
  if (status added = add_transform(terms); !added) return added;
  if (writes_itself(*where, kind)) return wire_output::open(*where, std::move(terms), next_peer);
  gate* const doors = needs_gate(options, kind) ? through : nullptr;
  return socket_output::open(in, *where, std::move(terms), number, doors, next_peer);
}

void output_port::introduce(output_peer& peer, engine& to) {
  by_number_.erase(peer.number());
  peer.introduce(to, (*next_peer_)++, now_ns_);
  by_number_[peer.number()] = &peer;
}

void output_port::retire(output_peer& peer, engine& to) {
  by_number_.erase(peer.number());
  peer.lose(to);
}

bool output_port::pump_peer(output_peer& peer, engine& to) {
  const bool reported = peer.pump(to, now_ns_);
  if (!peer.stuck(now_ns_)) return reported;
  retire(peer, to);
  introduce(peer, to);
  return reported;
}

output_peer* output_port::find(peer_id number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

bool output_port::deliver(peer_id to, const plain_delivery& what) {
  output_peer* const peer = find(to);
  if (peer) peer->push(what);
  return peer != nullptr;
}

}  // namespace holdfast
