#include "patterns/reqrep/mdp_dialect.hpp"

#include <algorithm>

#include "patterns/reqrep/head.hpp"

namespace holdfast {
namespace {

constexpr std::size_t mmi_bytes_max = 64 * 1024;  // of a question; the answer repeats it
constexpr std::string_view mmi_service = "mmi.service";

std::string_view text_of(bytes_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t bytes_of(std::span<const buffer_ref> parts) noexcept {
  std::size_t sum = 0;
  for (const buffer_ref& part : parts) sum += part.size();
  return sum;
}

/// A message has at least one part: no body is an empty one.
std::span<const buffer_ref> body_of(const mdp_frame& f) {
  static const buffer_ref empty[1] = {copy_to_buffer({})};
  return f.body.empty() ? std::span<const buffer_ref>(empty) : f.body;
}

}  // namespace

mdp_dialect::mdp_dialect(mdp_options options, exchange& core, mdp_planted planted)
    : options_(options), core_(core), planted_(planted) {
  options_.heartbeat_ns = std::max(options_.heartbeat_ns, ms_ns);
  options_.liveness = std::max(options_.liveness, 1u);
}

void mdp_dialect::on_frame(const frame_in& frame) {
  const mdp_frame f = decode_mdp(frame);
  switch (f.kind) {
    case mdp_kind::malformed: return core_.count_bad_frame();
    case mdp_kind::client_request: return on_client(frame, f);
    default: break;
  }
  const auto known = workers_.find(frame.from);
  on_worker(frame.from, known == workers_.end() ? nullptr : &known->second, f);
}

void mdp_dialect::on_client(const frame_in& frame, const mdp_frame& f) {
  if (is_mmi(f.service)) return on_mmi(frame, f);
  if (!service_fits(f.service)) return core_.count_bad_frame();
  foreign_request r;
  r.client = frame.from;
  r.service = text_of(f.service);
  r.mdp = true;
  r.reply_envelope = mdp_reply_envelope(frame, f);
  r.body = body_of(f);
  core_.submit(r);  // what is not stored is counted there: 0.1 has no way to refuse
}

void mdp_dialect::on_mmi(const frame_in& frame, const mdp_frame& f) {
  const bool asks_for_service = text_of(f.service) == mmi_service;
  const bool unfit = f.body.empty() ? asks_for_service : bytes_of(f.body) > mmi_bytes_max;
  if (unfit || f.service.size() > mdp::service_bytes_max) return core_.count_bad_frame();
  std::string_view code = "501";
  if (asks_for_service) code = core_.workers_of(text_of(f.body.back().bytes())) > 0 ? "200" : "404";
  core_.send(frame.from, mmi_answer(frame, f, as_bytes_view(code.data(), code.size())));
}

void mdp_dialect::on_worker(peer_id peer, row* worker, const mdp_frame& f) {
  if (f.kind == mdp_kind::worker_ready) return on_ready(peer, worker, f);
  if (f.kind == mdp_kind::worker_disconnect) return forget(peer);
  if (f.kind == mdp_kind::worker_broken || !worker) {
    core_.count_bad_frame();
    return throw_out(peer);
  }
  if (f.kind == mdp_kind::worker_reply) return on_reply(peer, *worker, f);
  worker->life.heard(now_ns(), core_.dispatched(worker->id).stream == no_stream);
}

void mdp_dialect::on_ready(peer_id peer, row* worker, const mdp_frame& f) {
  const bool served_here = is_mmi(f.service) && !planted_.serve_mmi;
  const bool again = worker && !planted_.enlist_twice;
  if (again || served_here || !service_fits(f.service)) {
    core_.count_bad_frame();
    return throw_out(peer);
  }
  worker_def w;
  w.speaks = this;
  w.peer = peer;
  w.service = text_of(f.service);
  w.name = "mdp " + std::to_string(peer);
  w.busy_ns = options_.busy_ns;
  const worker_id id =
      workers_.size() < options_.workers_max ? core_.worker_ready(std::move(w)) : 0;
  if (id == 0) return throw_out(peer);
  row made{id, {options_.heartbeat_ns, options_.liveness, now_ns()}};
  plan(peer, workers_.insert_or_assign(peer, std::move(made)).first->second);
}

void mdp_dialect::on_reply(peer_id peer, row& worker, const mdp_frame& f) {
  const dispatch_id due = core_.dispatched(worker.id);
  const bool to_its_client = std::ranges::equal(f.client, to_bytes(due)) || planted_.any_client;
  if (due.stream == no_stream || !to_its_client) {
    core_.count_bad_frame();
    return throw_out(peer);
  }
  core_.reply(worker.id, reply_status::ok, body_of(f));
  worker.life.heard(now_ns(), false);
}

/// DISCONNECT, to whoever it is; a worker's request goes to another.
void mdp_dialect::throw_out(peer_id peer) {
  disconnect(peer);
  forget(peer);
}

void mdp_dialect::forget(peer_id peer) {
  const auto at = workers_.find(peer);
  if (at == workers_.end()) return;
  planned_.erase({at->second.planned_ns, peer});
  const worker_id id = at->second.id;
  workers_.erase(at);
  core_.worker_gone(id);
}

void mdp_dialect::on_peer_lost(peer_id peer) {
  forget(peer);
}

buffer_ref mdp_dialect::request_envelope(peer_id worker, const dispatch_id& id) {
  if (const auto at = workers_.find(worker); at != workers_.end()) at->second.life.sent(now_ns());
  return mdp_request_envelope(to_bytes(id));
}

void mdp_dialect::on_overdue(worker_id, peer_id peer) {
  throw_out(peer);
}

/// Looks at the worker at its next heartbeat at the latest: death is never nearer than that when a
/// worker becomes idle, and whatever is heard or sent in between only moves both away.
void mdp_dialect::plan(peer_id peer, row& worker) {
  planned_.erase({worker.planned_ns, peer});
  worker.planned_ns = worker.life.beat_ns();
  if (core_.dispatched(worker.id).stream == no_stream)
    worker.planned_ns = std::min(worker.planned_ns, worker.life.dead_ns());
  planned_.insert({worker.planned_ns, peer});
}

void mdp_dialect::on_tick() {
  const std::uint64_t now = now_ns();
  while (next_deadline() <= now) {
    const peer_id peer = planned_.begin()->second;
    row& worker = workers_.at(peer);
    const bool idle = core_.dispatched(worker.id).stream == no_stream;
    if (idle && worker.life.dead_ns() <= now) {
      throw_out(peer);
      continue;
    }
    if (worker.life.beat_ns() <= now) {
      core_.send(peer, mdp_control(mdp_command::heartbeat));
      worker.life.sent(now);
    }
    plan(peer, worker);
  }
}

}  // namespace holdfast
