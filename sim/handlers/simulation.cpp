// The public face of the simulator: worlds drawn for handlers, runs, and the search for a seed that
// fails.
#include <cstdio>

#include "sim/handlers/stage.hpp"
#include "sim/shrink.hpp"

namespace holdfast {
namespace {

using sim::fault;
using simulated::outcome;

bool may_happen(fault what, const simulated::faults& may) {
  switch (what) {
    case fault::cut:
    case fault::stall:
    case fault::partition_to_device:
    case fault::partition_from_device: return may.network_fails;
    case fault::device_killed:
    case fault::device_stopped: return may.device_dies;
    case fault::device_power: return may.power_fails;
    case fault::disk_slow:
    case fault::disk_full:
    case fault::sync_fails:
    case fault::write_fails: return may.disk_fails;
    case fault::bit_rots: return false;  // costs messages, which no handler can mend
    case fault::sender_killed:
    case fault::sender_replaced:
    case fault::sender_stopped: return may.senders_die;
    case fault::receiver_killed: return may.handlers_die;
    case fault::receiver_stopped: return may.handlers_stop;
    case fault::clock_forward:
    case fault::clock_back: return may.clocks_jump;
  }
  return false;
}

void set_device(sim::device_settings& device, const simulated::options& how) {
  device.pipeline.durability = device.pubsub.durability = device.reqrep.durability = level::disk;
  device.pubsub.retention_age_ns = device.pubsub.retention_bytes = 0;
  device.reqrep.attempts_max = 0;
  if (how.lease.count() <= 0) return;
  device.pipeline.lease_ns = static_cast<std::uint64_t>(how.lease.count()) * ms_ns;
  device.reqrep.attempt_ns = device.pipeline.lease_ns;
}

/// The simulator's own plan for this seed without those who take part in it.
sim::plan draw(std::uint64_t seed, const simulated::options& how) {
  sim::plan p = sim::draw_plan(seed);
  p.producers.clear();
  p.workers.clear();
  p.plain_consumers.clear();
  p.subscribers.clear();
  p.requesters.clear();
  p.repliers.clear();
  p.rules.level.fill(sim::promise::disk);
  p.rules.one_consumer = p.rules.retention = false;
  p.rules.attempts = true;  // a replier may reject
  p.rules.deadline_ns = 0;
  set_device(p.device, how);
  std::erase_if(p.faults, [&](const auto& one) { return !may_happen(one.what, how.may); });
  p.power_fails = p.power_fails && how.may.power_fails;
  p.settle_for_ns = static_cast<std::uint64_t>(how.patience.count()) * second_ns;
  return p;
}

class trial {
 public:
  trial(const std::function<void(simulated::world&)>& build, const simulated::options& how)
      : build_(build), how_(how) {}

  outcome run(std::uint64_t seed) {
    const sim::plan p = planned(seed);
    const sim::outcome seen = sim::simulate(p);
    total_.seed = seed;
    ++total_.seeds;
    total_.messages += seen.counts.sent;
    total_.redelivered += seen.counts.again;
    total_.faults += seen.faults;
    total_.calls += std::exchange(counts_.calls, 0);
    total_.deaths += std::exchange(counts_.deaths, 0);
    show(seen);
    return total_;
  }

  /// The last run failed: whether it does so again, and with how little.
  outcome explain() {
    const sim::plan p = planned(total_.seed);
    if (sim::simulate(p).hash != total_.hash) {
      total_.by = "replay";
      total_.why = "two runs of this seed differ: handlers may use only what is drawn from it";
      return total_;
    }
    const sim::shrunk small = sim::shrink(p, total_.by, [](const std::string&) {});
    total_.schedule = sim::describe_faults(small.smallest);
    const std::uint64_t hash = total_.hash;
    show(small.shows);
    total_.hash = hash;
    return total_;
  }

 private:
  sim::plan planned(std::uint64_t seed) {
    sim::plan p = draw(seed, how_);
    p.invite = [this] { return std::make_unique<sim::stage>(build_, how_, counts_); };
    return p;
  }
  void show(const sim::outcome& seen) {
    total_.passed = seen.ok;
    total_.by = seen.by;
    total_.why = seen.why;
    total_.story = seen.story;
    total_.hash = seen.hash;
  }

  const std::function<void(simulated::world&)>& build_;
  const simulated::options& how_;
  sim::stage_figures counts_;
  outcome total_;
};

template <class More>
outcome search_while(trial all, std::uint64_t first, More more) {
  outcome seen;
  seen.passed = true;
  for (std::uint64_t tried = 0; more(tried); ++tried) {
    seen = all.run(first + tried);
    if (!seen.passed) return seen.by == "setup" ? seen : all.explain();
  }
  return seen;
}

}  // namespace

simulation::simulation(std::function<void(simulated::world&)> build, simulated::options how)
    : build_(std::move(build)), how_(how) {}

outcome simulation::run(std::uint64_t seed) const {
  return trial(build_, how_).run(seed);
}

outcome simulation::search(std::uint64_t seeds, std::uint64_t first) const {
  return search_while(trial(build_, how_), first, [&](std::uint64_t n) { return n < seeds; });
}

outcome simulation::search(std::chrono::seconds wall, std::uint64_t first) const {
  const std::uint64_t end = monotonic_now() + static_cast<std::uint64_t>(wall.count()) * second_ns;
  return search_while(trial(build_, how_), first,
                      [&](std::uint64_t) { return monotonic_now() < end; });
}

std::string simulated::to_text(const outcome& what) {
  const std::string tried =
      std::to_string(what.seeds) + " seeds, " + std::to_string(what.messages) + " messages, " +
      std::to_string(what.calls) + " calls, " + std::to_string(what.redelivered) +
      " redelivered, " + std::to_string(what.faults) + " faults, " + std::to_string(what.deaths) +
      " handlers killed";
  if (what.passed) return tried + ": no violation\n";
  std::string text = "seed " + std::to_string(what.seed) + " fails: " + what.by + ": " + what.why +
                     "\n(" + tried + ")\n";
  if (!what.schedule.empty()) text += "\nfaults that are enough for it:\n" + what.schedule;
  if (!what.story.empty()) text += "\n" + what.story;
  return text;
}

}  // namespace holdfast
