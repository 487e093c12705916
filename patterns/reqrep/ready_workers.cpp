#include "patterns/reqrep/ready_workers.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "patterns/envelope.hpp"
#include "patterns/reqrep/head.hpp"
#include "patterns/reqrep/plain_peers.hpp"

namespace holdfast {
namespace {

constexpr std::array<std::byte, 1> ready_mark{std::byte{1}};
constexpr std::array<std::byte, 1> heartbeat_mark{std::byte{2}};

bool is(bytes_view part, bytes_view mark) noexcept {
  return std::equal(part.begin(), part.end(), mark.begin(), mark.end());
}

bool says_ready(bytes_view part) noexcept {
  return is(part, ready_mark) || is(part, as_bytes_view("READY", 5));
}

}  // namespace

void ready_workers::on_frame(const frame_in& frame) {
  const std::vector<buffer_ref> all = all_parts(frame);
  const bool delimited = all.size() > 1 && all[0].size() == 0;
  const std::span<const buffer_ref> parts = std::span(all).subspan(delimited ? 1 : 0);
  const auto known = workers_.find(frame.from);
  row* worker = known == workers_.end() ? nullptr : &known->second;
  if (worker) worker->heard_ns = core_.now().now_ns;
  if (parts.size() == 1 && says_ready(parts[0].bytes())) {
    if (!worker) (void)on_ready(frame, delimited);
    return;
  }
  if (parts.size() == 1 && is(parts[0].bytes(), heartbeat_mark)) {
    if (worker && !std::exchange(worker->heartbeats, true)) beat(frame.from, *worker);
    return;
  }
  if (parts.size() < 3 || parts[0].size() != dispatch_id_bytes || parts[1].size() != 0)
    return core_.count_bad_frame();
  if (!worker) worker = on_ready(frame, delimited);
  if (worker) on_reply(*worker, parts[0].bytes(), parts.subspan(2));
}

ready_workers::row* ready_workers::on_ready(const frame_in& frame, bool delimited) {
  const stream_def* of = names_.find_stream(frame.stream);
  if (!of) return nullptr;
  const std::string name = "peer " + std::to_string(frame.from);
  const worker_id made = core_.worker_ready({this, frame.from, of->address, name, 0});
  if (made == 0) return nullptr;
  const std::uint64_t now = core_.now().now_ns;
  row& r = workers_[frame.from] = {made, delimited, false, false, now};
  next_look_ns_ = std::min(next_look_ns_, now + options_.heartbeat_ns);
  return &r;
}

void ready_workers::on_reply(row& worker, bytes_view id, std::span<const buffer_ref> body) {
  const dispatch_id given = core_.dispatched(worker.id);
  if (given.stream == no_stream || !(dispatch_from(id) == given)) return core_.count_bad_frame();
  worker.overdue = false;
  (void)core_.reply(worker.id, reply_status::ok, body);
}

void ready_workers::beat(peer_id peer, const row& worker) {
  core_.send(peer, worker.delimited ? make_envelope({bytes_view{}, bytes_view(heartbeat_mark)})
                                    : make_envelope({bytes_view(heartbeat_mark)}));
}

void ready_workers::on_tick() {
  const std::uint64_t now = core_.now().now_ns;
  if (now < next_look_ns_) return;
  const std::uint64_t silence = options_.heartbeat_ns * options_.liveness;
  for (auto at = workers_.begin(); at != workers_.end();) {
    const row& r = at->second;
    const bool free = r.overdue || core_.dispatched(r.id).stream == no_stream;
    if (r.heartbeats && free && now - r.heard_ns >= silence) {
      core_.worker_gone(r.id);
      at = workers_.erase(at);
      continue;
    }
    if (r.heartbeats) beat(at->first, r);
    ++at;
  }
  next_look_ns_ = workers_.empty() ? never_ns : now + options_.heartbeat_ns;
}

/// One that lives will reply late, or beat its heart; of the others nobody would ever hear.
void ready_workers::on_overdue(worker_id worker, peer_id peer) {
  const auto at = workers_.find(peer);
  if (at == workers_.end()) return;
  const std::uint64_t silence = options_.heartbeat_ns * options_.liveness;
  at->second.overdue = true;
  if (at->second.heartbeats && core_.now().now_ns - at->second.heard_ns < silence) return;
  core_.worker_gone(worker);
  workers_.erase(at);
}

void ready_workers::on_peer_lost(peer_id peer) {
  const auto at = workers_.find(peer);
  if (at == workers_.end()) return;
  core_.worker_gone(at->second.id);
  workers_.erase(at);
}

buffer_ref ready_workers::request_envelope(peer_id worker, const dispatch_id& id) {
  const bytes16 bytes = to_bytes(id);
  const auto at = workers_.find(worker);
  return at != workers_.end() && at->second.delimited
             ? make_envelope({bytes_view{}, bytes_view(bytes), bytes_view{}})
             : make_envelope({bytes_view(bytes), bytes_view{}});
}

}  // namespace holdfast
