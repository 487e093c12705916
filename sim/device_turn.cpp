// A turn of the simulated device: inputs in, engine, what the disk finished, figures out.
#include <algorithm>

#include "patterns/stats.hpp"
#include "sim/device.hpp"

namespace holdfast::sim {
namespace {

std::string text_of(const stream_stats& s) {
  const identity& c = s.counts;
  std::string text = s.address + ": next " + std::to_string(s.next_sequence) + ", floor " +
                     std::to_string(s.ack_floor) + ", ready " + std::to_string(c.ready) +
                     ", in flight " + std::to_string(c.in_flight) + ", in doubt " +
                     std::to_string(c.in_doubt) + ", delayed " + std::to_string(c.delayed);
  for (const consumer_stats& of : s.consumers)
    text += ", " + of.name + " has " + std::to_string(of.in_flight);
  for (const group_stats& of : s.groups)
    text += ", " + of.name + " from " + std::to_string(of.floor) + " to " + std::to_string(of.next);
  return text;
}

}  // namespace

namespace {

constexpr std::uint64_t turn_takes_ns = 1000;  // at least
constexpr std::uint64_t receiver_room = 16;    // messages beyond what was handed over

}  // namespace

void device::turn_by(std::uint64_t when) {
  when = std::max({when, in_.time.now(), paused_until_});
  if (when >= turn_at_) return;
  turn_at_ = when;
  in_.time.at(when, [this, when, generation = generation_] {
    if (generation == generation_ && when == turn_at_) turn();
  });
}

void device::turn() {
  turn_at_ = never_ns;
  const std::uint64_t now = in_.time.now();
  if (now < paused_until_) return turn_by(paused_until_);
  engine& core = *run_->core;
  core.begin(clock_.at());
  bool more = false;
  for (std::uint32_t channel = 0; channel < channel_kinds; ++channel) {
    more = take_frames(channel) || more;
    take_plain(channel);
    if (!run_->inputs[channel].plain.empty()) turn_by(now + ms_ns);
  }
  take_receivers();
  core.end();
  pump();
  audit();
  watch_disk();
  const std::uint64_t next = core.next_deadline();
  turn_by(std::max(clock_.when(next), now + turn_takes_ns));
  if (more || !run_->lost.empty()) turn_by(now + turn_takes_ns);
}

/// True if there are more.
bool device::take_frames(std::uint32_t channel) {
  auto& waiting = run_->inputs[channel].frames;
  if (waiting.empty()) return false;
  const std::size_t count = std::min<std::size_t>(waiting.size(), 1 + random_.below(64));
  std::vector<frame_in> batch;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [from, frame] = waiting[i];
    batch.push_back({from, frame[0], std::span(frame).subspan(1)});
  }
  run_->core->on_frames(channel, batch);
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
  return !waiting.empty();
}

void device::take_plain(std::uint32_t channel) {
  channel_inputs& in = run_->inputs[channel];
  if (in.plain.empty()) return;
  std::uint64_t room = run_->core->available().message_bytes;
  std::vector<bytes_view> message;
  while (!in.plain.empty()) {
    message.clear();
    std::uint64_t bytes = 0;
    for (const buffer_ref& part : in.plain.front()) {
      message.push_back(part.bytes());
      bytes += part.size() + 64;
    }
    if (bytes > room) break;
    room -= bytes;
    in.packer.add(message, bytes, clock_.at().real_ns);
    in.plain.pop_front();
  }
  const std::span<plain_block> blocks = in.packer.take();
  if (!blocks.empty()) run_->core->on_plain(channel, blocks);
  in.packer.clear();
}

void device::take_receivers() {
  for (const peer_id peer : std::exchange(run_->joined, {})) {
    plain_peer joining;
    joining.peer = peer;
    joining.name = "plain " + std::to_string(peer);
    joining.stream = run_->inputs[0].packer.stream();
    joining.in_doubt_messages = settings_.in_doubt_messages;
    joining.settle_idle_ns = settings_.settle_idle_ns;
    run_->core->on_plain_joined(0, joining);
    run_->receivers[peer].told = {peer, 0, receiver_room, true};
    run_->core->on_plain_report(0, run_->receivers[peer].told);
  }
  for (const auto& [channel, peer] : std::exchange(run_->lost, {})) {
    run_->receivers.erase(peer);
    run_->core->on_peer_lost(channel, peer);
  }
  for (auto& [peer, r] : run_->receivers)
    if (std::exchange(r.news, false)) run_->core->on_plain_report(0, r.told);
}

/// Hands over to plain receivers what their connections take; what changed is reported in the next
/// turn, as the loop with sockets does it.
void device::pump() {
  for (auto& [peer, r] : run_->receivers) {
    plain_report now = r.told;
    while (!r.waiting.empty() && in_.net.knows(peer) &&
           in_.net.unread(peer) < settings_.plain_hwm) {
      auto& [frame, at_ns] = r.waiting.front();
      if (!frame.empty()) in_.net.send_to(peer, std::move(frame), at_ns);
      r.waiting.pop_front();
      ++now.handed;
    }
    now.room = now.handed + receiver_room;
    now.idle = r.waiting.empty() && in_.net.knows(peer) && in_.net.unread(peer) == 0;
    r.news |= now.handed != r.told.handed || now.idle != r.told.idle;
    r.told = now;
    if (r.news || !now.idle) turn_by(in_.time.now() + ms_ns);
  }
}

void device::show(channel_kind channel, std::string_view name, bool whole, const identity& c) {
  in_.judged.accounts({channel, name, whole, c.in, c.sum(), c.acked, generation_, in_.time.now()});
}

void device::audit() {
  std::size_t index = 0;
  for (const channel_stats& c : run_->core->report()) {
    const auto channel = static_cast<channel_kind>(index++);
    in_.told.fold(c.bad_frames);
    in_.told.fold(c.stale_frames);
    for (const stream_stats& s : c.streams) {
      show(channel, s.address, true, s.counts);
      in_.told.fold(s.counts.ready);
      for (const group_stats& g : s.groups) show(channel, g.name, false, g.counts);
    }
  }
}

std::uint64_t device::unfinished() const {
  if (!run_) return 0;
  std::uint64_t count = 0;
  for (const channel_stats& c : run_->core->report()) {
    if (c.pattern == "pubsub") continue;  // keeps what it has
    for (const stream_stats& s : c.streams) {
      if (s.address.ends_with(".reply")) continue;  // of requesters that are gone
      count += s.counts.ready + s.counts.in_flight + s.counts.delayed + s.counts.in_doubt;
    }
  }
  return count;
}

std::string device::log_state() const {
  if (!run_) return "down";
  const marks& at = run_->core->reached();
  const room left = run_->core->available();
  std::string text =
      "appended " + std::to_string(at.appended) + ", written " + std::to_string(at.written) +
      ", synced " + std::to_string(at.synced) + ", room " + std::to_string(left.message_bytes) +
      ", on the disk " + std::to_string(disk_.waiting()) + " operations, held " +
      std::to_string(run_->core->held()) + " frames, turn in " +
      std::to_string(turn_at_ == never_ns ? never_ns : turn_at_ - in_.time.now()) + " ns";
  for (const channel_stats& c : run_->core->report())
    for (const stream_stats& s : c.streams) text += "; " + c.name + " " + text_of(s);
  return text;
}

std::uint64_t device::fingerprint() const {
  std::uint64_t sum = disk_.fingerprint();
  if (!run_) return sum;
  const auto mix = [&sum](std::uint64_t v) {
    sum = (sum ^ v) * 0x9e3779b97f4a7c15ULL;
    sum ^= sum >> 31;
  };
  for (const channel_stats& c : run_->core->report()) {
    for (const std::uint64_t v : {c.sessions, c.producers, c.bad_frames, c.stale_frames, c.resyncs,
                                  c.refusals, c.resets, c.unanswered, c.rejected})
      mix(v);
    for (const stream_stats& s : c.streams) {
      for (const std::uint64_t v :
           {s.next_sequence, s.ack_floor, s.counts.in, s.counts.acked, s.counts.ready,
            s.counts.in_flight, s.counts.delayed, s.counts.dead, s.redelivered, s.duplicates})
        mix(v);
      for (const group_stats& g : s.groups)
        for (const std::uint64_t v : {g.floor, g.next, g.lag, g.counts.in_flight}) mix(v);
    }
  }
  return sum;
}

void device::watch_disk() {
  if (disk_busy_ || disk_.waiting() == 0) return;
  disk_busy_ = true;
  in_.time.after(1 + random_.below(settings_.disk_delay_ns), [this, generation = generation_] {
    if (generation != generation_) return;
    disk_busy_ = false;
    disk_.step(1 + random_.below(3));
    watch_disk();
    turn_by(in_.time.now() + random_.below(20'000));
  });
}

}  // namespace holdfast::sim
