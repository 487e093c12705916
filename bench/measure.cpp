#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace holdfast::bench {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

void wait_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

void wait_for_flow(const std::vector<counters*>& flows) {
  const double give_up_at = now_seconds() + 30;
  while (std::any_of(flows.begin(), flows.end(), [](const counters* one) {
    return one->received.load(std::memory_order_relaxed) == 0;
  })) {
    if (now_seconds() > give_up_at) give_up("nothing came through within 30 s");
    wait_seconds(0.001);
  }
}

std::uint64_t received(const std::vector<counters*>& flows) {
  std::uint64_t sum = 0;
  for (const counters* one : flows) sum += one->received.load();
  return sum;
}

double cpu_of(const std::vector<child>& all) {
  double sum = 0;
  for (const child& one : all) sum += one.cpu_seconds();
  return sum / static_cast<double>(all.size());
}

void print(const std::string& name, std::size_t bytes, const figures& of, double base) {
  std::printf(
      "%8zu B  %-18s %12.0f msg/s %9.1f MB/s   CPU us/msg: sender %8.3f  middle %8.3f  receiver "
      "%8.3f   ratio %.2f\n",
      bytes, name.c_str(), of.per_second, of.per_second * static_cast<double>(bytes) / 1e6,
      of.sender_us, of.middle_us, of.receiver_us, of.per_second / base);
  std::fflush(stdout);
}

}  // namespace

options parse(int argc, char** argv, options defaults) {
  options made = std::move(defaults);
  made.device = device_program(argv[0]);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--seconds") {
      made.seconds = std::atof(value.c_str());
    } else if (key == "--sizes") {
      made.sizes.clear();
      for (const std::string& word : split(value)) made.sizes.push_back(std::stoul(word));
    } else if (key == "--levels") {
      made.levels = split(value);
    } else {
      give_up("unknown option " + key);
    }
  }
  if (argc % 2 == 0 || made.seconds <= 0) give_up("options are --seconds, --sizes, --levels");
  return made;
}

figures measure(const std::vector<counters*>& flows, const child& sender, const child& middle,
                const std::vector<child>& receivers, double seconds) {
  wait_for_flow(flows);
  wait_seconds(seconds / 5);
  const double begin = now_seconds(),
               cpu[] = {sender.cpu_seconds(), middle.cpu_seconds(), cpu_of(receivers)};
  const std::uint64_t first = received(flows);
  wait_seconds(seconds);
  const double n = static_cast<double>(received(flows) - first) / static_cast<double>(flows.size());
  if (n == 0) give_up("the line stands still");
  return {n / (now_seconds() - begin), (sender.cpu_seconds() - cpu[0]) / n * 1e6,
          (middle.cpu_seconds() - cpu[1]) / n * 1e6, (cpu_of(receivers) - cpu[2]) / n * 1e6};
}

std::uint64_t ahead_of(std::size_t bytes) {
  constexpr std::uint64_t bytes_max = 32 << 20, messages_max = 262'144, messages_min = 8;
  return std::clamp(bytes_max / bytes, messages_min, messages_max);
}

child start_device(const options& chosen, const std::string& pattern, const std::string& data,
                   const std::string& endpoint, const std::string& level) {
  return {
      {chosen.device, pattern, "--data", data, "--reliable", "@" + endpoint, "--durability", level},
      "holdfast: ready"};
}

void compare(const options& chosen, const std::function<figures(std::size_t bytes)>& proxy,
             const std::function<figures(std::size_t bytes, const std::string& level)>& device) {
  for (const std::size_t bytes : chosen.sizes) {
    const figures base = proxy(bytes);
    print("zmq_proxy", bytes, base, base.per_second);
    for (const std::string& level : chosen.levels)
      print("holdfast " + level, bytes, device(bytes, level), base.per_second);
  }
}

}  // namespace holdfast::bench
