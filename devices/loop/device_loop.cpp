#include "devices/loop/device_loop.hpp"

#include "devices/admin/status.hpp"
#include "devices/logging.hpp"
#include "devices/loop/device_parts.hpp"

namespace holdfast {
namespace {

/// What a plain sender's connection held when the end began is still taken, for so long at most.
constexpr std::uint64_t last_intake_ns = 200 * ms_ns;
constexpr std::uint64_t drain_wait_ns = 10 * ms_ns;
/// libzmq may take so long to hand over what it was given.
constexpr int linger_ms = 1000;

}  // namespace

device_loop::device_loop(std::unique_ptr<parts> made) noexcept : parts_(std::move(made)) {}
device_loop::~device_loop() = default;

status device_loop::run() {
  while (!parts_->stop_wanted) parts_->turn(never_ns);
  return finish();
}

void device_loop::stop() noexcept {
  parts_->stop_wanted = true;
  parts_->stopper.signal();
}

bool device_loop::stop_asked() const noexcept {
  return parts_->stop_wanted;
}

void device_loop::nudge() noexcept {
  parts_->stopper.signal();
}

void device_loop::turn(std::uint64_t wait_ns) {
  parts_->turn(wait_ns);
}

status device_loop::finish() {
  return parts_->finish();
}

status device_loop::parts::finish() {
  const std::uint64_t began = monotonic_now();
  const std::uint64_t last = began + options.drain_ns;
  const auto now = [] { return monotonic_now(); };
  for (auto& in : inputs) in->stop_accepting();
  for (auto& r : routers)
    if (r->foreign()) r->stop_accepting();
  do turn(0);
  while (again && now() < began + last_intake_ns);
  taking = false;
  const auto unsettled = [&] {
    const marks& m = core->reached();
    return !m.failure && (m.synced < m.appended || core->held() > 0);
  };
  while (unsettled() && now() < last) turn(drain_wait_ns);
  for (auto& out : outputs) out->close(linger_ms);
  outputs.clear();
  for (auto& r : routers) r->close(linger_ms);
  routers.clear();
  inputs.clear();
  ack_backs.clear();
  while (checkpoints->running() && now() < last) turn(drain_wait_ns);
  core->force_checkpoint();
  while (core->checkpoint_writing() && now() < last) turn(0);
  status closed = records->close();
  tell_troubles();
  return closed;
}

const device_options& device_loop::options() const noexcept {
  return parts_->options;
}

const open_report& device_loop::opened() const noexcept {
  return parts_->opened;
}

std::string device_loop::status_json() const {
  return make_status(*parts_, system_now());
}

std::vector<channel_stats> device_loop::report() const {
  return parts_->core->report();
}

void device_loop::set_note(device_note note) {
  parts_->bridge_note = std::move(note);
}

std::vector<bound_endpoint> device_loop::endpoints() const {
  std::vector<bound_endpoint> all;
  const parts& p = *parts_;
  const auto name = [&](std::uint32_t channel) {
    return p.options.channels[channel].settings().name;
  };
  for (const auto& in : p.inputs) all.push_back({name(in->channel()), "in", in->actual()});
  for (const auto& out : p.outputs) all.push_back({name(out->channel()), "out", out->actual()});
  for (const auto& r : p.routers) all.push_back({name(r->channel()), r->role(), r->actual()});
  for (const auto& a : p.ack_backs) all.push_back({name(a.channel), "ack_back", a.actual});
  if (p.admin) all.push_back({"", "admin", p.admin->actual()});
  return all;
}

}  // namespace holdfast
