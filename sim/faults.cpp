#include "sim/faults.hpp"

#include <cerrno>
#include <numeric>

namespace holdfast::sim {
namespace {

constexpr std::uint64_t down_max_ns = 300 * ms_ns;
constexpr std::uint64_t watch_every_ns = 20 * ms_ns;

}  // namespace

party::party(const plan& p)
    : seeds(p.seed),
      time(seeds.next()),
      judge(p.checker, told),
      net(p.network, time, told, seeds.next()),
      dev(p.device, time, net, judge, told, seeds.next()) {
  for (const producer_plan& one : p.producers)
    producers.push_back(std::make_unique<producer>(one, time, net, judge, told, seeds.next()));
  for (const worker_plan& one : p.workers)
    workers.push_back(std::make_unique<worker>(one, time, net, judge, told, seeds.next()));
  for (std::uint32_t i = 1; i <= p.plain_consumers; ++i)
    plain_consumers.push_back(
        std::make_unique<plain_consumer>(i, time, net, judge, told, seeds.next()));
}

fault_maker::fault_maker(const plan& p, party& all)
    : plan_(p), all_(all), random_(all.seeds.next()) {}

void fault_maker::begin() {
  start_device_later();
  const auto soon = [this] { return 1 + random_.below(200 * ms_ns); };
  for (auto& p : all_.producers) all_.time.after(soon(), [&one = *p] { one.start(); });
  for (auto& w : all_.workers) all_.time.after(soon(), [&one = *w] { one.start(); });
  for (auto& c : all_.plain_consumers) all_.time.after(soon(), [&one = *c] { one.start(); });
  later();
  watch_device();
}

void fault_maker::stop() {
  stopped_ = true;
  all_.told.tell(all_.time.now(), "faults stop", "world");
  all_.net.calm();
  all_.dev.set_disk_delay(plan_.device.disk_delay_ns);
  all_.dev.disk().set_capacity(plan_.device.disk.capacity);
  all_.dev.disk().fail_sync(0, 0);
  all_.dev.disk().fail_write(0, 0);
  for (auto& w : all_.workers) w->behave();
}

void fault_maker::later() {
  all_.time.after(1 + random_.below(2 * plan_.fault_every_ns), [this] {
    if (stopped_) return;
    happen();
    later();
  });
}

/// Somebody who looks after the device: starts it when it is down, or takes no more.
void fault_maker::watch_device() {
  if (!all_.dev.running() && !starting_) start_device_later();
  if (all_.dev.broken() && !starting_) {
    all_.told.tell(all_.time.now(), "takes no more and is started again", "device");
    all_.dev.crash(crash_mode::process);
    start_device_later();
  }
  all_.time.after(watch_every_ns, [this] { watch_device(); });
}

void fault_maker::start_device_later() {
  starting_ = true;
  all_.time.after(1 + random_.below(down_max_ns), [this] {
    starting_ = false;
    const bool again = !stopped_ && random_.chance(15);
    const bool power = plan_.weights[static_cast<std::size_t>(fault::device_power)] != 0;
    const std::uint64_t crash_after = again ? 1 + random_.below(60) : 0;
    (void)all_.dev.start(crash_after,
                         power && random_.chance(50) ? crash_mode::power : crash_mode::process);
  });
}

fault fault_maker::draw() {
  std::uint64_t total =
      std::accumulate(plan_.weights.begin(), plan_.weights.end(), std::uint64_t{});
  if (total == 0) return fault::clock_jumps;
  std::uint64_t drawn = random_.below(total);
  std::size_t i = 0;
  while (drawn >= plan_.weights[i]) drawn -= plan_.weights[i++];
  return static_cast<fault>(i);
}

void fault_maker::happen() {
  const fault what = draw();
  switch (what) {
    case fault::cut:
    case fault::stall: {
      const std::vector<line_id> lines = all_.net.lines();
      if (lines.empty()) return;
      const line_id line = lines[random_.below(lines.size())];
      if (what == fault::cut) return all_.net.cut(line);
      return all_.net.stall(line, random_.below(2 * second_ns));
    }
    case fault::device_killed:
    case fault::device_power:
    case fault::device_stopped: return on_device(what);
    case fault::disk_slow:
    case fault::disk_full:
    case fault::sync_fails:
    case fault::write_fails: return on_disk(what);
    default: return on_peers(what);
  }
}

void fault_maker::on_device(fault what) {
  if (!all_.dev.running()) return;
  if (what == fault::device_stopped) return all_.dev.pause(random_.below(2 * second_ns));
  all_.dev.crash(what == fault::device_power ? crash_mode::power : crash_mode::process);
}

void fault_maker::on_disk(fault what) {
  virtual_disk& disk = all_.dev.disk();
  const std::uint64_t until = random_.below(second_ns);
  switch (what) {
    case fault::disk_slow:
      all_.told.tell(all_.time.now(), "is slow", "disk", {}, until);
      all_.dev.set_disk_delay(plan_.device.disk_delay_ns + 50 * ms_ns);
      return all_.time.after(until,
                             [this] { all_.dev.set_disk_delay(plan_.device.disk_delay_ns); });
    case fault::disk_full:
      all_.told.tell(all_.time.now(), "is full", "disk", {}, until);
      disk.set_capacity(disk.used_bytes() + random_.below(64 * 1024));
      return all_.time.after(until,
                             [this] { all_.dev.disk().set_capacity(plan_.device.disk.capacity); });
    case fault::sync_fails:
      all_.told.tell(all_.time.now(), "will fail to sync", "disk");
      all_.dev.disk_may_fail();
      return disk.fail_sync(1 + random_.below(5), EIO);
    default:
      all_.told.tell(all_.time.now(), "will fail to write", "disk");
      all_.dev.disk_may_fail();
      return disk.fail_write(1 + random_.below(5), EIO);
  }
}

void fault_maker::on_peers(fault what) {
  producer* const p = any(all_.producers);
  worker* const w = any(all_.workers);
  plain_consumer* const c = any(all_.plain_consumers);
  switch (what) {
    case fault::producer_killed: return p->die();
    case fault::producer_replaced: return p->be_replaced();
    case fault::producer_stopped: return p->pause(random_.below(2 * second_ns));
    case fault::worker_killed: return w ? w->die() : void();
    case fault::worker_stopped: return w ? w->pause(random_.below(2 * second_ns)) : void();
    case fault::plain_killed: return c ? c->die() : void();
    default: all_.time.real_shift_ns += random_.below(1000 * second_ns); return;
  }
}

}  // namespace holdfast::sim
