#include "patterns/reqrep/plain_peers.hpp"

#include <algorithm>

#include "patterns/envelope.hpp"
#include "patterns/reqrep/head.hpp"

namespace holdfast {

std::vector<buffer_ref> all_parts(const frame_in& frame) {
  std::vector<buffer_ref> parts{frame.head};
  parts.insert(parts.end(), frame.parts.begin(), frame.parts.end());
  return parts;
}

void plain_peers::on_worker_joined(const plain_peer& peer) {
  const stream_def* of = names_.find_stream(peer.stream);
  if (!of || workers_.contains(peer.peer)) return;
  const worker_id made = core_.worker_ready({this, peer.peer, of->address, peer.name, 0});
  if (made != 0) workers_[peer.peer] = made;
}

void plain_peers::on_frame(const frame_in& frame) {
  const auto worker = workers_.find(frame.from);
  if (worker == workers_.end()) return on_client(frame);
  on_reply(worker->second, frame);
}

void plain_peers::on_reply(worker_id worker, const frame_in& frame) {
  const bool whole = frame.parts.size() >= 2 && frame.parts[0].size() == 0;
  const dispatch_id id = dispatch_from(frame.head.bytes());
  if (!whole || id.stream == no_stream || !(id == core_.dispatched(worker)))
    return core_.count_bad_frame();
  (void)core_.reply(worker, reply_status::ok, frame.parts.subspan(1));
}

void plain_peers::on_client(const frame_in& frame) {
  const std::vector<buffer_ref> parts = all_parts(frame);
  const auto delimiter =
      std::find_if(parts.begin(), parts.end(), [](const buffer_ref& p) { return p.size() == 0; });
  const auto stack =
      delimiter == parts.end() ? 0 : static_cast<std::size_t>(delimiter - parts.begin()) + 1;
  const stream_def* of = names_.find_stream(frame.stream);
  if (!of || stack == parts.size()) return core_.count_bad_frame();  // a probe: nothing is asked
  std::vector<bytes_view> envelope;
  for (std::size_t i = 0; i < stack; ++i) envelope.push_back(parts[i].bytes());
  foreign_request r;
  r.client = frame.from;
  r.service = of->address;
  r.reply_envelope = make_envelope(envelope);
  r.body = std::span(parts).subspan(stack);
  (void)core_.submit(r);
}

void plain_peers::on_peer_lost(peer_id peer) {
  const auto at = workers_.find(peer);
  if (at == workers_.end()) return;
  core_.worker_gone(at->second);
  workers_.erase(at);
}

buffer_ref plain_peers::request_envelope(peer_id, const dispatch_id& id) {
  const bytes16 bytes = to_bytes(id);
  return make_envelope({bytes, bytes_view{}});
}

}  // namespace holdfast
