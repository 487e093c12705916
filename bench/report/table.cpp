#include <fmt/format.h>

#include "bench/report/report.hpp"
#include "bench/report/words.hpp"

namespace holdfast::bench {
namespace {

constexpr int path_width = 32, durability_width = 13;

std::string range(const spread& of) {
  return fmt::format("{} [{} - {}]", ratio_word(of.median), ratio_word(of.least),
                     ratio_word(of.most));
}

std::string start_of(const row& of) {
  return fmt::format("{:>8}  {:<{}} {:<{}}", size_word(of.bytes), of.path, path_width,
                     of.durability, durability_width);
}

}  // namespace

std::string table_head(const row& first) {
  const std::string start = fmt::format("\n{}\n{:>8}  {:<{}} {:<{}}", first.part, "size", "path",
                                        path_width, "durability", durability_width);
  if (first.by == measured::time)
    return start + fmt::format("{:>10} {:>10} {:>10}  ratio of p50", "p50", "p99", "p99.9");
  return start + fmt::format("{:>9} {:>10}  us/msg: {:>8} {:>8} {:>8} {:>10}  ratio", "msg/s",
                             "bytes/s", "producer", "broker", "consumer", "peak");
}

std::string table_line(const row& of) {
  std::string line = start_of(of);
  if (of.rounds == 0) return line + "  FAILED: " + of.failures.front();
  if (of.by == measured::time)
    line += fmt::format("{:>10} {:>10} {:>10}  {}", time_word(of.p50_us), time_word(of.p99_us),
                        time_word(of.p999_us), range(of.ratio));
  else
    line += fmt::format("{:>9} {:>10}          {:>8.2f} {:>8.2f} {:>8.2f} {:>10}  {}",
                        count_word(of.messages_per_s.median),
                        bytes_word(of.messages_per_s.median * static_cast<double>(of.bytes)),
                        of.producer_us, of.broker_us, of.consumer_us,
                        bytes_word(of.broker_peak_bytes), range(of.ratio));
  if (!of.failures.empty())
    line += fmt::format("  {} FAILED: {}", of.failures.size(), of.failures.front());
  return line;
}

}  // namespace holdfast::bench
