#include "bench/report/line_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bench/report/words.hpp"

namespace holdfast::bench {
namespace {

double bytes_per_second(const work& asked, const sample& seen) {
  return seen.per_second * static_cast<double>(asked.bytes);
}

}  // namespace

std::string line_text(const work& asked, const sample& seen) {
  std::string text = fmt::format(
      "{} messages of {}: each came once, whole, in order\n{} messages/s, {}/s\n"
      "CPU time a message: sending {:.2f} us, receiving {:.2f} us\n",
      seen.messages, size_word(asked.bytes), count_word(seen.per_second),
      bytes_word(bytes_per_second(asked, seen)), seen.producer_us, seen.consumer_us);
  if (asked.per_second > 0)
    text += fmt::format("from when it was due until it came: p50 {}, p99 {}, p99.9 {}\n",
                        time_word(seen.p50_us), time_word(seen.p99_us), time_word(seen.p999_us));
  return text;
}

std::string line_json(const work& asked, const sample& seen) {
  nlohmann::ordered_json made{
      {"messages", seen.messages},           {"size", asked.bytes},
      {"messages_per_s", seen.per_second},   {"bytes_per_s", bytes_per_second(asked, seen)},
      {"producer_cpu_us", seen.producer_us}, {"consumer_cpu_us", seen.consumer_us}};
  for (const auto& [name, us] : {std::pair{"p50_us", seen.p50_us}, std::pair{"p99_us", seen.p99_us},
                                 std::pair{"p999_us", seen.p999_us}})
    made[name] = asked.per_second > 0 ? nlohmann::ordered_json(us) : nullptr;
  return made.dump() + "\n";
}

}  // namespace holdfast::bench
