#include "sim/device.hpp"

#include <algorithm>

#include "patterns/pipeline/pipeline_channel.hpp"
#include "patterns/pubsub/pubsub_channel.hpp"
#include "patterns/reqrep/reqrep_channel.hpp"

namespace holdfast::sim {
namespace {

bytes16_id boot_number(std::uint64_t n) {
  bytes16_id made{};
  store(made.data(), n);
  return made;
}

}  // namespace

device::device(device_settings settings, surroundings in, std::uint64_t seed)
    : settings_(std::move(settings)),
      in_(in),
      clock_(in.time, settings_.drift_ppm),
      random_(seed),
      disk_(settings_.disk) {
  disk_.set_auto_complete(false);
  settings_.journal.clock = [this] { return clock_.at(); };
  settings_.journal.boot_id = boot_number(boots_);
  settings_.journal.seed = random_.next();
}

device::~device() {
  run_.reset();
}

void device::tell(const char* what, std::uint64_t a) {
  in_.told.tell(in_.time.now(), what, "device", {}, a);
}

// ---- life ---------------------------------------------------------------------------------------

bool device::start(std::uint64_t crash_after, crash_mode how) {
  ++generation_;
  disk_busy_ = false;
  turn_at_ = never_ns;
  try {
    run_ = open(crash_after);
  } catch (const crashed_in_recovery&) {
    run_ = nullptr;
    tell("crashes while it recovers");
    lose(how);
    return false;
  }
  if (!run_) {
    disk_.crash(crash_mode::process);
    return false;
  }
  in_.net.device_up(*this);
  tell("is up", run_->log->stats().epoch);
  turn_by(in_.time.now());
  return true;
}

std::unique_ptr<device::run> device::open(std::uint64_t crash_after) {
  auto made = std::make_unique<run>();
  const auto fuse = std::make_shared<std::uint64_t>(crash_after);
  open_report found;
  auto opened =
      open_journal(std::make_unique<recovery_crash>(disk_.mount(), fuse), settings_.journal, found);
  if (!opened) return trouble("cannot open its journal: ", opened.text());
  made->log = std::move(opened).value();
  in_.judged.recovered(!found.damaged.empty(), disk_harmed_, in_.time.now());
  made->checkpoints = std::make_unique<journal_checkpoints>(*made->log);
  made->core = std::make_unique<engine>(*made->log, made->names, static_cast<outlet&>(*this),
                                        made->checkpoints.get(), settings_.checkpoint_slice_bytes);
  add_channels(*made);
  made->core->restore(made->log->checkpoint_rows());
  const status replayed =
      made->log->replay([&](std::span<const record_view> records) { made->core->replay(records); });
  if (!replayed) return trouble("cannot replay its journal: ", replayed.text());
  *fuse = 0;
  run_ = std::move(made);  // start() may already send
  run_->core->start(clock_.at(), forgotten_by(found));
  run_->inputs[0].packer.set_stream(run_->core->stream_of(0, settings_.pipeline.default_queue));
  run_->inputs[1].packer.set_stream(run_->core->stream_of(1, ""));
  return std::move(run_);
}

/// In the order of channel_kind.
void device::add_channels(run& r) {
  engine& core = *r.core;
  core.add_channel(settings_.pipeline.name,
                   make_pipeline(settings_.pipeline, r.names, random_.next()));
  core.add_channel(settings_.pubsub.name, make_pubsub(settings_.pubsub, r.names, random_.next()));
  core.add_channel(settings_.reqrep.name, make_reqrep(settings_.reqrep, r.names, random_.next()));
}

std::unique_ptr<device::run> device::trouble(const char* what, std::string_view why) {
  in_.told.tell(in_.time.now(), what, "device: " + std::string(why));
  return nullptr;
}

void device::crash(crash_mode how) {
  if (!run_) return;
  tell(how == crash_mode::power ? "loses power" : "is killed");
  in_.net.device_down();
  lose(how);
}

void device::lose(crash_mode how) {
  ++generation_;
  ++crashes_;
  disk_.crash(how);
  run_.reset();
  if (how != crash_mode::power) return;
  settings_.journal.boot_id = boot_number(++boots_);
  in_.judged.power_lost(in_.time.now());
}

bool device::broken() const {
  return run_ && run_->core->reached().failure != nullptr;
}

void device::pause(std::uint64_t for_ns) {
  tell("is stopped for a while", for_ns);
  paused_until_ = in_.time.now() + for_ns;
  in_.judged.device_stopped(in_.time.now(), paused_until_);
}

// ---- what arrives -------------------------------------------------------------------------------

void device::connected(peer_id peer, socket_id at) {
  run_->channel_of[peer] = at.channel;
  if (at.kind != line_kind::plain_out) return;
  run_->joined.push_back(peer);
  turn_by(in_.time.now() + random_.below(50'000));
}

void device::received(peer_id peer, socket_id at, multipart frame) {
  channel_inputs& to = run_->inputs[at.channel];
  if (at.kind == line_kind::reliable)
    to.frames.emplace_back(peer, std::move(frame));
  else if (at.kind == line_kind::plain_in)
    to.plain.push_back(std::move(frame));
  turn_by(in_.time.now() + random_.below(100'000));
}

void device::disconnected(peer_id peer, socket_id at) {
  if (at.kind != line_kind::plain_out) return;  // a ROUTER is not told
  run_->lost.emplace_back(at.channel, peer);
  turn_by(in_.time.now());
}

// ---- what leaves --------------------------------------------------------------------------------

void device::deliver(peer_id to, multipart frame) {
  if (!in_.net.knows(to)) run_->lost.emplace_back(run_->channel_of[to], to);
  in_.net.send_to(to, std::move(frame));
}

void device::send(peer_id to, bytes_view head, const buffer_ref*, const buffer_ref& body) {
  multipart frame{copy_to_buffer(head)};
  if (body) frame.push_back(copy_to_buffer(body.bytes()));
  deliver(to, std::move(frame));
}

void device::send_simple(peer_id to, const buffer_ref& head, const entry& message,
                         const buffer_ref&) {
  multipart frame{copy_to_buffer(head.bytes())};
  for_each_part(message, [&](bytes_view part) { frame.push_back(copy_to_buffer(part)); });
  deliver(to, std::move(frame));
}

// No plain peer of a request-reply channel is simulated.
void device::send_enveloped(peer_id, const buffer_ref&, const entry*, const buffer_ref&,
                            std::size_t) {}

void device::send_plain(peer_id to, const plain_delivery& what) {
  const auto found = run_->receivers.find(to);
  if (found == run_->receivers.end()) return;
  entry_walker walker(what.body.bytes());
  entry message;
  for (std::uint32_t i = 0; i < what.count && walker.next(message); ++i) {
    multipart frame;
    if (!message.voided())
      for_each_part(message, [&](bytes_view part) { frame.push_back(copy_to_buffer(part)); });
    found->second.waiting.push_back({std::move(frame), in_.time.now()});
  }
}

}  // namespace holdfast::sim
