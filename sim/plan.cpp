#include "sim/plan.hpp"

#include "patterns/block.hpp"

namespace holdfast::sim {
namespace {

std::size_t index(fault f) {
  return static_cast<std::size_t>(f);
}

level draw_level(random_source& r) {
  const std::uint64_t drawn = r.below(10);
  return drawn < 6 ? level::disk : drawn < 8 ? level::interval : level::process;
}

session_client_options draw_session(random_source& r) {
  session_client_options s;
  s.heartbeat_ms = static_cast<std::uint32_t>(100 + r.below(300));
  s.hello_timeout_ns = 300 * ms_ns;
  s.backoff_min_ns = 10 * ms_ns;
  s.backoff_max_ns = 500 * ms_ns;
  return s;
}

void draw_device(plan& p, random_source& r) {
  pipeline_options& q = p.device.pipeline;
  q.durability = draw_level(r);
  q.interval_ms = static_cast<std::uint32_t>(5 + r.below(60));
  q.max_message = 1 << 20;
  q.window_messages = static_cast<std::uint32_t>(4 + r.below(200));
  q.window_bytes = 4096 + r.below(200'000);
  q.lease_ns = (200 + r.below(1500)) * ms_ns;
  q.attempts_max = 0;
  q.backoff_min_ns = (10 + r.below(100)) * ms_ns;
  q.backoff_max_ns = q.backoff_min_ns + r.below(second_ns);
  q.heartbeat_ms = static_cast<std::uint32_t>(100 + r.below(300));
  q.heartbeat_misses = 3;
  journal_options& j = p.device.journal;
  j.segment_bytes = (4 + 4 * r.below(16)) * 16 * 1024;
  j.memory_budget = (64 + r.below(512)) * 1024;
  j.tail_bytes = r.below(256) * 1024;
  j.sync_bytes = (16 + r.below(256)) * 1024;
  j.checkpoint_bytes = (16 + r.below(256)) * 1024;
  j.checkpoint_ns = (50 + r.below(3000)) * ms_ns;
  j.interval_ms = q.interval_ms;
  j.cut_block = cut_body;
  j.process_sync_ns = (100 + r.below(900)) * ms_ns;
  p.device.disk.seed = r.next();
  p.device.disk.mixed_sector_percent = static_cast<std::uint32_t>(r.below(40));
  p.device.disk_delay_ns = 10'000 + r.below(3 * ms_ns);
  p.device.in_doubt_messages = 256;
  p.device.settle_idle_ns = (200 + r.below(800)) * ms_ns;
  p.device.checkpoint_slice_bytes = 64 + r.below(1024);
}

void draw_faults(plan& p, random_source& r) {
  for (std::uint32_t& weight : p.weights)
    weight = r.chance(50) ? static_cast<std::uint32_t>(1 + r.below(10)) : 0;
  p.fault_every_ns = (20 + r.below(400)) * ms_ns;
  p.faults_for_ns = (2 + r.below(6)) * second_ns;
}

void draw_producers(plan& p, random_source& r) {
  const bool forgets =
      p.device.pipeline.durability != level::disk && p.weights[index(fault::device_power)] != 0;
  const std::uint64_t count = 1 + r.below(4);
  for (std::uint32_t i = 1; i <= count; ++i) {
    producer_plan made;
    made.number = i;
    made.kind = static_cast<producer_kind>(r.below(4));
    // One that makes the same again relies on a device that forgets nothing it accepted.
    if (made.kind == producer_kind::replayer && forgets) made.kind = producer_kind::fresh;
    made.messages = 20 + r.below(150);
    made.burst_max = static_cast<std::uint32_t>(1 + r.below(20));
    made.pause_max_ns = (5 + r.below(100)) * ms_ns;
    made.largest = p.checker.largest_message;
    made.need = r.chance(70) ? level::disk : level::process;
    made.session = draw_session(r);
    if (made.kind == producer_kind::replayer && p.weights[index(fault::device_power)] != 0)
      made.need = level::disk;
    p.producers.push_back(made);
  }
}

void draw_consumers(plan& p, random_source& r) {
  p.plain_consumers = r.chance(40) ? static_cast<std::uint32_t>(1 + r.below(2)) : 0;
  const std::uint64_t count = (p.plain_consumers == 0 ? 1 : 0) + r.below(4);
  for (std::uint32_t i = 1; i <= count; ++i) {
    worker_plan made;
    made.number = i;
    made.whole_blocks = r.chance(50);
    made.credit_messages = static_cast<std::uint32_t>(1 + r.below(100));
    made.credit_bytes = 1000 + r.below(64 * 1024);
    made.work_max_ns = r.below(20 * ms_ns) + 1;
    if (r.chance(50)) made.nack_percent = static_cast<std::uint32_t>(r.below(20));
    if (r.chance(30)) made.release_percent = static_cast<std::uint32_t>(r.below(20));
    if (r.chance(20)) made.reject_percent = static_cast<std::uint32_t>(r.below(5));
    if (r.chance(50)) made.hang_percent = static_cast<std::uint32_t>(r.below(10));
    if (r.chance(30)) made.touch_percent = static_cast<std::uint32_t>(r.below(10));
    made.channel_level = static_cast<promise>(p.device.pipeline.durability);
    made.session = draw_session(r);
    p.workers.push_back(made);
  }
}

void plant(plan& p, random_source& r) {
  switch (p.bug) {
    case planted::nothing: return;
    case planted::sessions_mixed:
      p.device.pipeline.planted = {true, true, true};
      p.weights = {};
      p.weights[index(fault::producer_replaced)] = 3;
      p.weights[index(fault::producer_killed)] = 3;
      p.weights[index(fault::cut)] = 3;
      for (producer_plan& made : p.producers) {
        made.kind = producer_kind::fresh;
        made.burst_max = 20;
        made.pause_max_ns = 5 * ms_ns;
        made.messages = 400;
      }
      break;
    case planted::accept_lost: break;
    case planted::accept_early:
    case planted::sync_lies:
      p.device.pipeline.durability = level::disk;
      for (producer_plan& made : p.producers) {
        if (made.kind == producer_kind::plain) made.kind = producer_kind::unnamed;
        made.need = level::disk;
      }
      for (worker_plan& made : p.workers) made.channel_level = promise::disk;
      p.checker.may_lose_at_power = false;
      p.weights[index(fault::device_power)] = 10;
      p.device.disk.sync_lies = p.bug == planted::sync_lies;
      p.device.planted_early_marks = p.bug == planted::accept_early;
      if (p.bug == planted::accept_early) p.device.disk_delay_ns = 20 * ms_ns + r.below(ms_ns);
      break;
  }
}

}  // namespace

plan draw_plan(std::uint64_t seed, planted bug) {
  random_source r(seed * 0x9e3779b97f4a7c15ULL + 7);
  plan p;
  p.seed = seed;
  p.bug = bug;
  p.checker.largest_message =
      static_cast<std::uint32_t>(r.chance(80) ? 16 + r.below(2000) : 16 + r.below(40'000));
  draw_device(p, r);
  draw_faults(p, r);
  draw_producers(p, r);
  draw_consumers(p, r);
  p.network.slow_percent = static_cast<std::uint32_t>(r.below(5));
  p.network.delay_max_ns = p.network.delay_min_ns + r.below(2 * ms_ns);
  p.checker.may_lose_at_power = p.device.pipeline.durability != level::disk;
  p.checker.interval_ns = p.device.pipeline.interval_ms * ms_ns + 2 * second_ns;
  p.checker.one_consumer = p.workers.size() + p.plain_consumers == 1;
  plant(p, r);
  return p;
}

}  // namespace holdfast::sim
