// journal_bench: what the journal costs, on real files and without sockets: each figure beside its
// limit. Best of five, as other programs may run too.
//
//   journal_bench [--quick] [--json FILE] [--dir DIR] [--only PART] [--seconds S]
//
// PART: append, latency, throughput, accepted, amplification, open, memory, acks. DIR: where files
// are made, on the disk to measure; device writes are those of its whole device, so it should be at
// rest. --quick: less than a minute, with smaller logs and fewer repeats.
#include "bench/journal_measures.hpp"

namespace holdfast::bench {
namespace {

struct part {
  const char* name;
  void (*measure)(const journal_bench_options&, journal_report&);
};
constexpr part parts[] = {{"append", measure_append},
                          {"latency", measure_append_latency},
                          {"throughput", measure_throughput},
                          {"accepted", measure_accepted},
                          {"amplification", measure_amplification},
                          {"open", measure_open},
                          {"memory", measure_memory},
                          {"acks", measure_acks}};

struct command {
  journal_bench_options options;
  std::string only;
};

void make_quick(journal_bench_options& options) {
  options.seconds = 0.25;
  options.repeats = 3;
  options.log_bytes = 256ull << 20;
  options.messages = 4'000'000;
  options.amplified_bytes = 32ull << 20;
  options.amplified_segment = 16ull << 20;
}

command parse_command(int argc, char** argv) {
  command made;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--quick") {
      make_quick(made.options);
      continue;
    }
    if (i + 1 == argc) give_up("unknown option " + key + ", or its value is missing");
    const std::string value = argv[++i];
    if (key == "--json")
      made.options.json = value;
    else if (key == "--dir")
      made.options.directory = value;
    else if (key == "--only")
      made.only = value;
    else if (key == "--seconds")
      made.options.seconds = std::stod(value);
    else
      give_up("unknown option " + key + "; there are --quick, --json, --dir, --only, --seconds");
  }
  return made;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  return run_main([&] {
    const command asked = parse_command(argc, argv);
    journal_report report;
    bool any = false;
    for (const part& one : parts) {
      if (!asked.only.empty() && asked.only != one.name) continue;
      any = true;
      one.measure(asked.options, report);
    }
    if (!any) give_up("no part " + asked.only);
    report.finish(asked.options.json);  // a limit that is missed is told, and is no failure
    return 0;
  });
}
