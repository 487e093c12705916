#include <cmath>
#include <ostream>

#include <nlohmann/json.hpp>

#include "bench/report/report.hpp"

namespace holdfast::bench {
namespace {

using json = nlohmann::ordered_json;

// Four digits that count: more would only claim to. What was not measured is null.
json rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return nullptr;
  const double scale = std::pow(10.0, 3 - std::floor(std::log10(std::fabs(value))));
  return std::round(value * scale) / scale;
}

void add_ratio(json& to, const row& of) {
  const std::string name = of.base.starts_with("zmq_proxy") ? "ratio_to_proxy" : "ratio_to_base";
  to[name] = rounded(of.ratio.median);
  to["ratio_least"] = rounded(of.ratio.least);
  to["ratio_most"] = rounded(of.ratio.most);
  to["ratio_of"] = of.by == measured::rate ? "messages_per_s" : "p50_us";
  to["base"] = of.base;
}

void add_rates(json& to, const row& of) {
  to["messages_per_s"] = rounded(of.messages_per_s.median);
  to["messages_per_s_least"] = rounded(of.messages_per_s.least);
  to["messages_per_s_most"] = rounded(of.messages_per_s.most);
  to["bytes_per_s"] = rounded(of.messages_per_s.median * static_cast<double>(of.bytes));
  to["producer_cpu_us"] = rounded(of.producer_us);
  to["broker_cpu_us"] = rounded(of.broker_us);
  to["consumer_cpu_us"] = rounded(of.consumer_us);
  to["broker_peak_bytes"] = rounded(of.broker_peak_bytes);
}

json object_of(const row& of, const report& all) {
  json made{
      {"part", of.part}, {"path", of.path}, {"durability", of.durability}, {"size", of.bytes}};
  add_rates(made, of);
  if (of.by == measured::time) {
    made["p50_us"] = rounded(of.p50_us);
    made["p99_us"] = rounded(of.p99_us);
    made["p999_us"] = rounded(of.p999_us);
  }
  add_ratio(made, of);
  made["rounds"] = of.rounds;
  made["failures"] = of.failures;
  made["settings"] = of.settings;
  made["machine"] = all.machine;
  return made;
}

}  // namespace

void write_json(const report& of, std::ostream& to) {
  json all = json::array();
  for (const row& one : of.all) all.push_back(object_of(one, of));
  to << all.dump(1) << '\n';
}

}  // namespace holdfast::bench
