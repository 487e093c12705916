// One turn of a device: wait, receive a bounded batch from every socket, step, append, send.
#include <algorithm>

#include "devices/admin/status.hpp"
#include "devices/logging.hpp"
#include "devices/loop/device_parts.hpp"
#include "patterns/envelope.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::size_t ack_batch = 4096;
constexpr std::size_t delivery_id_bytes = 16;
/// Rounds of hand-over and refill within one turn.
constexpr int refills_max = 4;
constexpr unsigned answers_a_second = 20;  // to DESCRIBE

}  // namespace

/// Plain inputs rest while the journal takes no more.
bool device_loop::parts::may_take() const {
  const room left = core->available();
  return taking && left.message_bytes > 0 && !left.failed && !core->reached().failure;
}

void device_loop::parts::fill_poller() {
  waiting.clear();
  waiting.add_fd(stopper.fd());
  waiting.add_fd(records->wake_fd());
  waiting.add_fd(doors ? doors->wake_fd() : -1);
  const bool take = may_take();
  for (const auto& in : inputs) in->add_to(waiting, take);
  for (const auto& r : routers) r->add_to(waiting, r->pausable() ? take : taking);
  for (const ack_back_port& a : ack_backs) waiting.add(a.in);
  if (admin) admin_at = waiting.add(admin->raw());
  for (auto& out : outputs) out->add_to(waiting);
}

/// A message was read that had no room.
bool device_loop::parts::one_waits() const {
  const auto waits = [](const auto& port) { return port->waiting(); };
  return std::any_of(inputs.begin(), inputs.end(), waits) ||
         std::any_of(routers.begin(), routers.end(), waits);
}

std::uint64_t device_loop::parts::deadline() const {
  if (again || (core->room_grew() && one_waits())) return 0;
  std::uint64_t next = core->next_deadline();
  for (const auto& in : inputs) next = std::min(next, in->next_deadline());
  for (const auto& r : routers) next = std::min(next, r->next_deadline());
  for (const auto& out : outputs) {
    if (out->busy()) return 0;
    next = std::min(next, out->next_deadline());
  }
  return next;
}

void device_loop::parts::turn(std::uint64_t wait_ns) {
  fill_poller();
  const std::uint64_t now = monotonic_now();
  const std::uint64_t due = deadline();
  const std::uint64_t until_due = due == never_ns ? never_ns : due > now ? due - now : 0;
  const bool polled = waiting.wait(std::min(wait_ns, until_due));
  again = false;
  const instant at = system_now();
  core->begin(at);
  if (polled && waiting.readable(0)) stopper.clear();
  if (polled) {
    for (auto& out : outputs) {
      out->take_poll(waiting, *core);
      if (out->linked(waiting)) out->on_links(*core);
    }
    for (auto& in : inputs) in->take_poll(waiting);
    for (auto& r : routers) r->take_poll(waiting);
    if (waiting.readable(2)) take_gate();
  }
  receive(at);
  report_lost();
  core->end(!again);
  flush_routers();
  hand_over(at);
  flush_routers();
  report_lost();
  if (admin && polled && waiting.readable(admin_at)) answer_admin(at);
  tell_failure();
}

void device_loop::parts::take_gate() {
  gate_events.clear();
  doors->poll(gate_events);
  for (const gate_event& event : gate_events) {
    if (event.what == gate_event::kind::accept_paused) {
      log_warning(options.name + ": out of descriptors, new peers wait: " + event.text);
      continue;
    }
    if (event.what != gate_event::kind::peer_drained)
      log_debug(options.name +
                (event.what == gate_event::kind::peer_up ? ": peer up: " : ": peer down: ") +
                event.text);
    if (event.cookie < outputs.size()) outputs[event.cookie]->on_gate(event, *core);
  }
}

void device_loop::parts::receive(instant at) {
  for (auto& r : routers) {
    if (!(r->pausable() ? may_take() : taking)) {
      r->keep_up(at);
      continue;
    }
    r->receive(*core, core->available().message_bytes, at);
    if (!r->asking().empty()) answer_askers(at);
    again = again || !r->drained();
  }
  for (ack_back_port& a : ack_backs) receive_acks(a);
  if (taking)
    for (auto& out : outputs) again = out->hear(*core) || again;
  bool paused = false;
  for (auto& in : inputs) {
    paused = paused || !may_take();
    if (paused) {
      in->keep_up(at);
      continue;
    }
    in->receive(*core, core->available().message_bytes, at);
    again = again || !in->drained();
  }
  paused_turns += paused;
}

/// The id is the last part, so that a consumer may send the whole message back.
void device_loop::parts::receive_acks(ack_back_port& from) {
  acks.clear();
  io outcome = io::done;
  for (std::size_t tries = 0; tries < ack_batch; ++tries) {
    outcome = from.in.receive(parts_in, 1 << 20);
    if (outcome == io::would_block || outcome == io::failed) break;
    if (outcome != io::done || parts_in.back().size() != delivery_id_bytes) {
      ++from.garbage;
      continue;
    }
    const std::byte* id = parts_in.back().data();
    acks.push_back({load<stream_id>(id), load<std::uint32_t>(id + 4), load<std::uint64_t>(id + 8)});
  }
  parts_in.clear();
  from.taken += acks.size();
  again = again || outcome == io::done;
  if (!acks.empty()) core->on_plain_acks(from.channel, acks);
}

void device_loop::parts::report_lost() {
  for (auto& r : routers) {
    for (const peer_id peer : r->lost()) {
      core->on_peer_lost(r->channel(), peer);
      again = true;
    }
    r->lost().clear();
  }
  for (auto& out : outputs) again = out->reap(*core) || again;
}

void device_loop::parts::flush_routers() {
  for (auto& r : routers) r->flush();
}

/// What was handed over makes room for more, at once.
void device_loop::parts::hand_over(instant at) {
  for (int i = 0; i < refills_max; ++i) {
    bool reported = false;
    for (auto& out : outputs) reported = out->pump(*core, at) || reported;
    if (!reported) return;
    core->flush();
  }
  again = true;
}

void device_loop::parts::tell_troubles() {
  for (const std::string& trouble : records->take_troubles())
    log_warning(options.name + ": " + trouble);
}

void device_loop::parts::tell_failure() {
  tell_troubles();
  const status* failure = core->reached().failure;
  if (!failure || failure_told) return;
  failure_told = true;
  log_error(options.name + ": the journal takes no more: " + std::string(failure->text()) +
            "; what is stored is still delivered");
}

void device_loop::parts::answer_admin(instant at) {
  admin->answer([&](std::string_view request) { return answer_request(*this, request, at); });
}

/// What it is costs a walk over everything: so many a second, others ask again.
void device_loop::parts::answer_askers(instant at) {
  if (at.now_ns - asked_since_ns > second_ns) {
    asked_since_ns = at.now_ns;
    asked = 0;
  }
  for (auto& r : routers) {
    for (const peer_id to : r->asking()) {
      if (++asked > answers_a_second) break;
      const buffer_ref answer = encode_described(0, make_description(*this, at));
      parts_to.clear();
      parts_to.push_back({answer.bytes(), &answer});
      r->send(to, parts_to);
    }
    r->asking().clear();
  }
}

void device_loop::parts::send(peer_id to, bytes_view head, const buffer_ref* head_owner,
                              const buffer_ref& body) {
  parts_to.clear();
  parts_to.push_back({head, head_owner});
  if (body) parts_to.push_back({body.bytes(), &body});
  send_parts(to);
}

void device_loop::parts::send_simple(peer_id to, const buffer_ref& head, const entry& message,
                                     const buffer_ref& body) {
  parts_to.clear();
  parts_to.push_back({head.bytes(), &head});
  for_each_part(message, [&](bytes_view part) { parts_to.push_back({part, &body}); });
  send_parts(to);
}

void device_loop::parts::send_parts(peer_id to) {
  for (auto& r : routers)
    if (r->knows(to)) return r->send(to, parts_to);
  for (auto& out : outputs)
    if (out->send(to, parts_to)) return;
  ++unrouted;
}

void device_loop::parts::send_enveloped(peer_id to, const buffer_ref& envelope,
                                        const entry* message, const buffer_ref& body,
                                        std::size_t skip_parts) {
  parts_to.clear();
  for_each_envelope_part(envelope.bytes(), [&](bytes_view part) {
    parts_to.push_back({part, &envelope});
  });
  std::size_t index = 0;
  if (message)
    for_each_part(*message, [&](bytes_view part) {
      if (index++ >= skip_parts) parts_to.push_back({part, &body});
    });
  send_parts(to);
}

void device_loop::parts::send_plain(peer_id to, const plain_delivery& what) {
  for (auto& out : outputs)
    if (out->deliver(to, what)) return;
  ++unrouted;
}

}  // namespace holdfast
