#include "sim/plan.hpp"

#include <algorithm>
#include <numeric>

#include "patterns/block.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint32_t publisher_numbers = 20, requester_numbers = 40;

std::uint32_t u32(std::uint64_t v) {
  return static_cast<std::uint32_t>(v);
}

level draw_level(random_source& r) {
  const std::uint64_t drawn = r.below(10);
  return drawn < 6 ? level::disk : drawn < 8 ? level::interval : level::process;
}

promise promise_of(level l) {
  return static_cast<promise>(static_cast<std::uint8_t>(l));
}

std::int32_t draw_drift(random_source& r) {
  const std::uint64_t most = r.chance(80) ? 200 : 50'000;
  return static_cast<std::int32_t>(r.below(2 * most + 1)) - static_cast<std::int32_t>(most);
}

void draw_channel(channel_settings& c, random_source& r, std::uint32_t interval_ms) {
  c.durability = draw_level(r);
  c.interval_ms = interval_ms;
  c.max_message = 1 << 20;
  c.window_messages = u32(4 + r.below(200));
  c.window_bytes = 4096 + r.below(200'000);
  c.heartbeat_ms = u32(100 + r.below(300));
  c.heartbeat_misses = 3;
}

void draw_channels(plan& p, random_source& r) {
  const std::uint32_t interval_ms = u32(5 + r.below(60));
  pipeline_options& q = p.device.pipeline;
  draw_channel(q, r, interval_ms);
  q.lease_ns = (200 + r.below(1500)) * ms_ns;
  q.attempts_max = 0;
  q.backoff_min_ns = (10 + r.below(100)) * ms_ns;
  q.backoff_max_ns = q.backoff_min_ns + r.below(second_ns);
  pubsub_options& s = p.device.pubsub;
  draw_channel(s, r, interval_ms);
  p.rules.retention = r.chance(30);
  const bool by_age = r.chance(50);
  s.retention_age_ns = p.rules.retention && by_age ? (1 + r.below(4)) * second_ns : 0;
  s.retention_bytes = p.rules.retention && !by_age ? 10'000 + r.below(100'000) : 0;
  reqrep_options& a = p.device.reqrep;
  draw_channel(a, r, interval_ms);
  a.attempt_ns = (200 + r.below(1500)) * ms_ns;
  a.deadline_ns = 10'000'000 * second_ns;
  p.rules.attempts = r.chance(20);
  a.attempts_max = p.rules.attempts ? u32(2 + r.below(4)) : 0;
  a.backoff_min_ns = (10 + r.below(100)) * ms_ns;
  a.backoff_max_ns = a.backoff_min_ns + r.below(second_ns);
  a.reply_ttl_ns = 10'000'000 * second_ns;
  a.queue_max = u32(10 + r.below(200));
  p.rules.level = {promise_of(q.durability), promise_of(s.durability), promise_of(a.durability)};
  p.rules.interval_ns = interval_ms * ms_ns + 2 * second_ns;
  p.device.journal.interval_ms = interval_ms;
}

void draw_journal(plan& p, random_source& r) {
  journal_options& j = p.device.journal;
  j.segment_bytes = (4 + 4 * r.below(16)) * 16 * 1024;
  j.memory_budget = (64 + r.below(512)) * 1024;
  j.tail_bytes = r.below(256) * 1024;
  j.sync_bytes = (16 + r.below(256)) * 1024;
  j.checkpoint_bytes = (16 + r.below(256)) * 1024;
  j.checkpoint_ns = (50 + r.below(3000)) * ms_ns;
  j.cut_block = cut_body;
  j.process_sync_ns = (100 + r.below(900)) * ms_ns;
  p.device.disk.seed = r.next();
  p.device.disk.mixed_sector_percent = u32(r.below(40));
  p.device.disk_delay_ns = 10'000 + r.below(3 * ms_ns);
  p.device.in_doubt_messages = 256;
  p.device.settle_idle_ns = (200 + r.below(800)) * ms_ns;
  p.device.checkpoint_slice_bytes = 64 + r.below(1024);
  p.device.drift_ppm = draw_drift(r);
  p.network.slow_percent = u32(r.below(5));
  p.network.delay_max_ns = p.network.delay_min_ns + r.below(2 * ms_ns);
  p.network.duplicate_percent = r.chance(50) ? u32(r.below(60)) : 0;
}

void draw_faults(plan& p, random_source& r) {
  std::array<std::uint32_t, fault_kinds> weights{};
  for (std::uint32_t& weight : weights) weight = r.chance(50) ? u32(1 + r.below(10)) : 0;
  const std::uint64_t total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{});
  p.power_fails = weights[static_cast<std::size_t>(fault::device_power)] != 0;
  p.faults_for_ns = (4 + r.below(5)) * second_ns;
  const std::uint64_t count = r.chance(20) ? r.below(20) : 60 + r.below(120);
  for (std::uint64_t i = 0; i < count && total != 0; ++i) {
    std::uint64_t drawn = r.below(total);
    std::size_t kind = 0;
    while (drawn >= weights[kind]) drawn -= weights[kind++];
    p.faults.push_back({second_ns + r.below(p.faults_for_ns), static_cast<fault>(kind), r.next()});
  }
  std::sort(p.faults.begin(), p.faults.end(),
            [](const auto& a, const auto& b) { return a.at_ns < b.at_ns; });
}

manners draw_manners(random_source& r) {
  manners m;
  m.work_max_ns = r.below(20 * ms_ns) + 1;
  if (r.chance(50)) m.nack_percent = u32(r.below(20));
  if (r.chance(30)) m.release_percent = u32(r.below(20));
  if (r.chance(20)) m.reject_percent = u32(r.below(5));
  if (r.chance(50)) m.hang_percent = u32(r.below(10));
  if (r.chance(30)) m.touch_percent = u32(r.below(10));
  return m;
}

void draw_producers(plan& p, random_source& r, channel_kind channel, std::uint32_t first,
                    std::uint64_t count, const channel_settings& of) {
  const bool forgets = of.durability != level::disk && p.power_fails;
  for (std::uint32_t i = 0; i < count; ++i) {
    producer_plan made;
    made.number = first + i;
    made.channel = channel;
    made.kind = static_cast<producer_kind>(r.below(4));
    // One that makes the same again relies on a device that forgets nothing it accepted.
    if (made.kind == producer_kind::replayer && forgets) made.kind = producer_kind::fresh;
    made.messages = 30 + r.below(200);
    made.burst_max = u32(1 + r.below(20));
    made.pause_max_ns = (5 + r.below(100)) * ms_ns;
    made.largest = p.rules.largest_message;
    made.need = r.chance(70) ? level::disk : level::process;
    made.link = draw_link(r, channel);
    if (made.kind == producer_kind::plain) made.link.to.kind = line_kind::plain_in;
    if (made.kind == producer_kind::replayer && p.power_fails) made.need = level::disk;
    p.producers.push_back(made);
  }
}

/// Some producers send into a second queue, which then has a worker of its own.
void draw_consumers(plan& p, random_source& r) {
  if (r.chance(40)) p.plain_consumers.push_back(1);
  if (!p.plain_consumers.empty() && r.chance(50)) p.plain_consumers.push_back(2);
  const std::uint64_t count = (p.plain_consumers.empty() ? 1 : 0) + r.below(4);
  const bool second_queue = r.chance(40);
  for (std::uint32_t i = 0; i < count + (second_queue ? 1 + r.below(2) : 0); ++i) {
    worker_plan made;
    made.number = i + 1;
    made.whole_blocks = r.chance(50);
    made.credit_messages = u32(1 + r.below(100));
    made.credit_bytes = 1000 + r.below(64 * 1024);
    made.ways = draw_manners(r);
    made.channel_level = p.rules.level[0];
    made.link = draw_link(r, channel_kind::pipeline);
    if (i >= count) {
      made.address = "second";
      made.line = 16;
    }
    p.workers.push_back(made);
  }
  for (producer_plan& one : p.producers)
    if (second_queue && one.channel == channel_kind::pipeline && one.kind != producer_kind::plain &&
        r.chance(50))
      one.address = "second";
  p.rules.one_consumer = p.workers.size() + p.plain_consumers.size() == 1;
}

void draw_subscribers(plan& p, random_source& r, std::uint64_t publishers) {
  const std::uint64_t count = 1 + r.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    static constexpr start_at starts[] = {start_at::next, start_at::first, start_at::last};
    subscriber_plan made;
    made.number = i + 1;
    made.durable = r.chance(60);
    made.from = starts[r.below(3)];
    if (r.chance(30)) made.topic = u32(publisher_numbers + r.below(publishers));
    made.credit_messages = u32(1 + r.below(100));
    made.credit_bytes = 1000 + r.below(64 * 1024);
    made.work_max_ns = r.below(20 * ms_ns) + 1;
    made.channel_level = p.rules.level[1];
    made.link = draw_link(r, channel_kind::pubsub);
    p.subscribers.push_back(made);
  }
}

void draw_requests(plan& p, random_source& r) {
  const std::uint64_t askers = 1 + r.below(3), workers = 1 + r.below(3);
  if (r.chance(25)) p.rules.deadline_ns = (500 + r.below(5000)) * ms_ns;
  for (std::uint32_t i = 0; i < askers; ++i) {
    requester_plan made;
    made.number = requester_numbers + i;
    made.named = r.chance(50);
    made.keep = r.chance(50);
    made.requests = 20 + r.below(100);
    made.burst_max = u32(1 + r.below(10));
    made.pause_max_ns = (5 + r.below(100)) * ms_ns;
    made.deadline_ns = p.rules.deadline_ns;
    made.largest = p.rules.largest_message;
    made.link = draw_link(r, channel_kind::reqrep);
    p.requesters.push_back(made);
  }
  for (std::uint32_t i = 0; i < workers; ++i) {
    replier_plan made;
    made.number = i + 1;
    made.credit_messages = u32(1 + r.below(8));
    made.ways = draw_manners(r);
    made.channel_level = p.rules.level[2];
    made.largest = p.rules.largest_message;
    made.link = draw_link(r, channel_kind::reqrep);
    p.repliers.push_back(made);
  }
}

}  // namespace

connection draw_link(random_source& r, channel_kind channel) {
  connection c;
  c.to = {static_cast<std::uint8_t>(channel), line_kind::reliable};
  c.session.heartbeat_ms = u32(100 + r.below(300));
  c.session.hello_timeout_ns = 300 * ms_ns;
  c.session.backoff_min_ns = 10 * ms_ns;
  c.session.backoff_max_ns = 500 * ms_ns;
  c.drift_ppm = draw_drift(r);
  return c;
}

const char* name(fault f) noexcept {
  static constexpr const char* words[fault_kinds] = {"cut",
                                                     "stall",
                                                     "partition to the device",
                                                     "partition from the device",
                                                     "device killed",
                                                     "power lost",
                                                     "device stopped",
                                                     "slow disk",
                                                     "full disk",
                                                     "failing sync",
                                                     "failing write",
                                                     "bit rot",
                                                     "sender killed",
                                                     "sender replaced",
                                                     "sender stopped",
                                                     "receiver killed",
                                                     "receiver stopped",
                                                     "clock forward",
                                                     "clock back"};
  return words[static_cast<std::size_t>(f)];
}

plan draw_plan(std::uint64_t seed) {
  random_source r(random_source(seed).next());
  plan p;
  p.seed = seed;
  p.network.tells = (seed & told_seeds) != 0;
  p.rules.largest_message = u32(r.chance(80) ? 16 + r.below(2000) : 16 + r.below(40'000));
  draw_channels(p, r);
  draw_journal(p, r);
  draw_faults(p, r);
  // Not every seed has everybody: some things only show where nothing else is.
  const std::uint64_t publishers = 1 + r.below(3);
  const bool queues = r.chance(80), topics = r.chance(70), services = r.chance(70);
  if (queues || !(topics || services)) {
    draw_producers(p, r, channel_kind::pipeline, 1, 1 + r.below(4), p.device.pipeline);
    draw_consumers(p, r);
  }
  if (topics) {
    draw_producers(p, r, channel_kind::pubsub, publisher_numbers, publishers, p.device.pubsub);
    draw_subscribers(p, r, publishers);
  }
  if (services) draw_requests(p, r);
  return p;
}

}  // namespace holdfast::sim
