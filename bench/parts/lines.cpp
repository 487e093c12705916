// The parts that are a comparison of lines: who takes part, and at which sizes.
#include "bench/contestants/peers.hpp"
#include "bench/parts/comparison.hpp"

namespace holdfast::bench {
namespace {

constexpr unsigned subscribers = 10, in_flight = 64, many_topics = 100'000;
constexpr double messages_a_second = 5000;
constexpr std::size_t latency_bytes = 256, topics_bytes = 64;

plan with_sizes(plan chosen, std::vector<std::size_t> sizes) {
  chosen.sizes = std::move(sizes);
  return chosen;
}

// Sizes at which what a message costs counts, not its bytes.
plan with_small_sizes(const plan& chosen) {
  std::vector<std::size_t> small;
  for (const std::size_t bytes : chosen.sizes)
    if (bytes <= 1024) small.push_back(bytes);
  return with_sizes(chosen, small);
}

void add_peers(contestants& to, const plan& chosen) {
  if (!chosen.peers) return;
  for (contestant& one : peer_brokers()) to.push_back(std::move(one));
}

contestants published(const plan& chosen) {
  contestants all{fan_out_proxy_line()};
  for (const std::string level : {"process", "disk"})
    all.push_back(reliable_fan_out(chosen.device, level));
  return all;
}

}  // namespace

rows measure_throughput(const plan& chosen) {
  contestants all{direct_line(), proxy_line("tcp"), proxy_line("ipc"), bare_blocks_line()};
  for (const std::string peers : {"shared", "separate"})
    all.push_back(plain_to_plain(chosen.device, peers, "process"));
  all.push_back(plain_to_reliable(chosen.device, "process"));
  for (const std::string level : {"process", "interval", "disk"})
    all.push_back(reliable_to_reliable(chosen.device, level));
  add_peers(all, chosen);
  return compare({"throughput", measured::rate, all}, chosen, {});
}

rows measure_fan_out(const plan& chosen) {
  work asked;
  asked.consumers = subscribers;
  return compare({"fan-out 1 -> 10", measured::rate, published(chosen)}, with_small_sizes(chosen),
                 asked);
}

rows measure_topics(const plan& chosen) {
  const plan small = with_sizes(chosen, {topics_bytes});
  rows made = compare({"1 topic", measured::rate, published(chosen)}, small, {});
  work asked;
  asked.topics = many_topics;
  const rows many = compare({"100 000 topics", measured::rate, published(chosen)}, small, asked);
  made.insert(made.end(), many.begin(), many.end());
  return made;
}

rows measure_requests(const plan& chosen) {
  contestants all{request_proxy_line(in_flight)};
  for (const std::string level : {"process", "disk"})
    all.push_back(reliable_requests(chosen.device, level, in_flight));
  return compare({"requests, 64 in flight", measured::rate, all}, with_small_sizes(chosen), {});
}

rows measure_round_trips(const plan& chosen) {
  contestants all{request_proxy_line(1)};
  for (const std::string level : {"process", "disk"})
    all.push_back(reliable_requests(chosen.device, level, 1));
  work asked;
  asked.lock_step = true;
  return compare({"requests, one at a time", measured::time, all}, with_sizes(chosen, {64}), asked);
}

rows measure_latency(const plan& chosen) {
  contestants all{proxy_line("tcp")};
  for (const std::string level : {"process", "disk"})
    all.push_back(reliable_to_reliable(chosen.device, level));
  add_peers(all, chosen);
  work asked;
  asked.per_second = messages_a_second;
  return compare({"one-way latency, 5000 a second", measured::time, all},
                 with_sizes(chosen, {latency_bytes}), asked);
}

}  // namespace holdfast::bench
