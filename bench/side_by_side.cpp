// side_by_side: Holdfast beside plain ZeroMQ and, where they are there, brokers of others: the same
// work for all, in turn, every message checked. Figures belong to a machine; ratios travel.
// How to read them: docs/performance.md.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include <CLI/CLI.hpp>

#include "bench/parts/parts.hpp"
#include "bench/report/machine.hpp"
#include "bench/report/report.hpp"
#include "bench/surroundings.hpp"

namespace holdfast::bench {
namespace {

struct part {
  const char* name;
  rows (*measure)(const plan&);
};
constexpr part parts[] = {
    {"throughput", measure_throughput},   {"fan_out", measure_fan_out},
    {"topics", measure_topics},           {"requests", measure_requests},
    {"round_trips", measure_round_trips}, {"latency", measure_latency},
    {"accepts", measure_accepts},         {"backlog", measure_backlog},
};

struct command {
  plan chosen;
  bool quick = false;
  std::vector<std::string> only;
  std::string json, html;
};

std::vector<std::string> part_names() {
  std::vector<std::string> names;
  for (const part& one : parts) names.emplace_back(one.name);
  return names;
}

void add_options(CLI::App& to, command& into) {
  plan& chosen = into.chosen;
  to.add_flag("--quick", into.quick, "Fewer and shorter rounds: under five minutes");
  to.add_flag("--peers", chosen.peers, "Brokers of others too, those whose packages are there");
  to.add_option("--only", into.only, "These parts alone")
      ->check(CLI::IsMember(part_names()))
      ->delimiter(',');
  to.add_option("--filter", chosen.filter,
                "Contestants whose path and durability contain it, and the proxy");
  to.add_option("--sizes", chosen.sizes, "Bytes of a message")->delimiter(',');
  to.add_option("--rounds", chosen.rounds, "Of each contestant")->check(CLI::PositiveNumber);
  to.add_option("--seconds", chosen.seconds, "Each measurement")->check(CLI::PositiveNumber);
  to.add_option("--messages", chosen.messages_max, "Most of one measurement");
  to.add_option("--backlog", chosen.backlog, "Messages that wait, in the part backlog");
  to.add_option("--json", into.json, "File for the rows, an object each");
  to.add_option("--html", into.html, "File for a page with plots");
}

// What was asked for by name stays.
void make_quick(const CLI::App& asked, plan& chosen) {
  if (asked.count("--rounds") == 0) chosen.rounds = 2;
  if (asked.count("--seconds") == 0) chosen.seconds = 0.6;
  if (asked.count("--backlog") == 0) chosen.backlog = 2'000'000;
}

template <class writer>
void write_file(const std::string& path, const report& of, writer write) {
  if (path.empty()) return;
  std::ofstream out(path);
  write(of, out);
  if (!out.flush()) give_up(path + " cannot be written");
}

report run(const command& asked) {
  report made{describe_machine(), load_average(), 0, {}};
  std::printf("%s\n", made.machine.c_str());
  for (const part& one : parts) {
    const bool wanted = asked.only.empty() || std::find(asked.only.begin(), asked.only.end(),
                                                        one.name) != asked.only.end();
    if (!wanted) continue;
    const rows some = one.measure(asked.chosen);
    made.all.insert(made.all.end(), some.begin(), some.end());
  }
  made.load_after = load_average();
  return made;
}

bool failed(const row& one) {
  return !one.failures.empty();
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  CLI::App app("Holdfast beside plain ZeroMQ, and beside other brokers", "side_by_side_bench");
  command asked;
  add_options(app, asked);
  CLI11_PARSE(app, argc, argv);
  return run_main([&] {
    asked.chosen.device = device_program(argv[0]);
    if (asked.quick) make_quick(app, asked.chosen);
    const report made = run(asked);
    write_file(asked.json, made, write_json);
    write_file(asked.html, made, write_html);
    return std::any_of(made.all.begin(), made.all.end(), failed) ? 1 : 0;
  });
}
