#include "sim/faults.hpp"

#include <cerrno>

#include "sim/rot.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t down_max_ns = 300 * ms_ns;
constexpr std::uint64_t watch_every_ns = 20 * ms_ns;
constexpr std::uint64_t rots_after_ns = 2500 * ms_ns;  // by then later records prove this one

/// Of one part of a run, whoever else takes part.
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return random_source(seed ^ (part << 32)).next();
}

}  // namespace

party::party(const plan& p)
    : time(seed_of(p.seed, 1)),
      judged(p.rules, told),
      net(p.network, time, told, seed_of(p.seed, 2)),
      all{time, net, judged, told},
      dev(p.device, all, seed_of(p.seed, 3)) {
  for (const producer_plan& one : p.producers)
    senders.push_back(std::make_unique<producer>(one, all, seed_of(p.seed, 100 + one.number)));
  for (const requester_plan& one : p.requesters)
    senders.push_back(std::make_unique<requester>(one, all, seed_of(p.seed, 200 + one.number)));
  for (const worker_plan& one : p.workers)
    receivers.push_back(std::make_unique<worker>(one, all, seed_of(p.seed, 300 + one.number)));
  for (const std::uint32_t one : p.plain_consumers)
    receivers.push_back(std::make_unique<plain_consumer>(one, socket_id{0, line_kind::plain_out},
                                                         all, seed_of(p.seed, 400 + one)));
  for (const subscriber_plan& one : p.subscribers)
    receivers.push_back(std::make_unique<subscriber>(one, all, seed_of(p.seed, 500 + one.number)));
  for (const replier_plan& one : p.repliers)
    receivers.push_back(std::make_unique<replier>(one, all, seed_of(p.seed, 600 + one.number)));
  if (!p.invite) return;
  visitors = p.invite();
  visitors->join(*this, p, random_source(seed_of(p.seed, 5)));
}

fault_maker::fault_maker(const plan& p, party& all)
    : plan_(p), all_(all), random_(seed_of(p.seed, 4)) {}

void fault_maker::begin() {
  start_device_later();
  all_.each([this](application& one) {
    all_.time.after(1 + random_.below(200 * ms_ns), [&one] { one.start(); });
  });
  for (const planned_fault& one : plan_.faults)
    all_.time.at(one.at_ns, [this, &one] {
      if (!stopped_) happen(one);
    });
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
  all_.each([](application& one) { one.behave(); });
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
    const std::uint64_t crash_after = again ? 1 + random_.below(60) : 0;
    const bool power = plan_.power_fails && random_.chance(50);
    (void)all_.dev.start(crash_after, power ? crash_mode::power : crash_mode::process);
  });
}

void fault_maker::happen(const planned_fault& one) {
  ++happened_;
  ++of_[static_cast<std::size_t>(one.what)];
  random_source salt(one.salt);
  switch (one.what) {
    case fault::cut:
    case fault::stall:
    case fault::partition_to_device:
    case fault::partition_from_device: return on_line(one.what, salt);
    case fault::device_killed:
    case fault::device_power:
    case fault::device_stopped: return on_device(one.what, salt);
    case fault::disk_slow:
    case fault::disk_full:
    case fault::sync_fails:
    case fault::write_fails: return on_disk(one.what, salt);
    case fault::bit_rots: return rot(salt);
    default: return on_peers(one.what, salt);
  }
}

void fault_maker::on_line(fault what, random_source& salt) {
  const std::vector<line_id> lines = all_.net.lines();
  if (lines.empty()) return;
  const line_id line = lines[salt.below(lines.size())];
  if (what == fault::cut) return all_.net.cut(line);
  const direction which = what == fault::stall                 ? direction::both
                          : what == fault::partition_to_device ? direction::to_device
                                                               : direction::from_device;
  all_.net.stall(line, which, salt.below(2 * second_ns));
}

void fault_maker::on_device(fault what, random_source& salt) {
  if (!all_.dev.running()) return;
  if (what == fault::device_stopped) return all_.dev.pause(salt.below(2 * second_ns));
  all_.dev.crash(what == fault::device_power ? crash_mode::power : crash_mode::process);
}

void fault_maker::on_disk(fault what, random_source& salt) {
  virtual_disk& disk = all_.dev.disk();
  const std::uint64_t until = salt.below(second_ns);
  const std::uint64_t now = all_.time.now();
  switch (what) {
    case fault::disk_slow:
      all_.told.tell(now, "is slow", "disk", {}, until);
      all_.dev.set_disk_delay(plan_.device.disk_delay_ns + 50 * ms_ns);
      return all_.time.after(until,
                             [this] { all_.dev.set_disk_delay(plan_.device.disk_delay_ns); });
    case fault::disk_full:
      all_.told.tell(now, "is full", "disk", {}, until);
      disk.set_capacity(disk.used_bytes() + salt.below(64 * 1024));
      return all_.time.after(until,
                             [this] { all_.dev.disk().set_capacity(plan_.device.disk.capacity); });
    case fault::sync_fails:
      all_.told.tell(now, "will fail to sync", "disk");
      all_.dev.disk_does_harm();
      return disk.fail_sync(1 + salt.below(5), EIO);
    default:
      all_.told.tell(now, "will fail to write", "disk");
      all_.dev.disk_does_harm();
      return disk.fail_write(1 + salt.below(5), EIO);
  }
}

/// One bit of a message that was accepted at level disk a while ago, wherever it lies: the record
/// it is in may be lost, and no other.
void fault_maker::rot(random_source& salt) {
  if (!all_.dev.running()) return;
  std::vector<message_key> old;
  for (const auto& [key, f] : all_.judged.known().all())
    if (f.accepted_ns != 0 && f.accepted_at == promise::disk &&
        f.accepted_ns + rots_after_ns < all_.time.now())
      old.push_back(key);
  if (old.empty()) return;
  const std::vector<message_key> hit =
      rot_message(all_.dev.disk(), old[salt.below(old.size())], salt);
  if (hit.empty()) return;
  all_.dev.disk_does_harm();
  all_.judged.rotted(hit, all_.time.now());
}

void fault_maker::on_peers(fault what, random_source& salt) {
  const auto any = [&](std::vector<std::unique_ptr<application>>& of) {
    return of.empty() ? nullptr : of[salt.below(of.size())].get();
  };
  application* const sender = any(all_.senders);
  application* const receiver = any(all_.receivers);
  switch (what) {
    case fault::sender_killed: return sender ? sender->die() : void();
    case fault::sender_replaced: return sender ? sender->be_replaced() : void();
    case fault::sender_stopped: return sender ? sender->pause(salt.below(2 * second_ns)) : void();
    case fault::receiver_killed: return receiver ? receiver->die() : void();
    case fault::receiver_stopped:
      return receiver ? receiver->pause(salt.below(2 * second_ns)) : void();
    case fault::clock_back:
      return all_.time.shift_real(-static_cast<std::int64_t>(salt.below(100 * second_ns)));
    default: return all_.time.shift_real(static_cast<std::int64_t>(salt.below(1000 * second_ns)));
  }
}

}  // namespace holdfast::sim
