// own_line: `holdfast bench`: measures a line that somebody has already: sends at one endpoint,
// receives at another, whatever lies between them, and checks each message on its way.
#include <cstdio>
#include <map>
#include <random>

#include <CLI/CLI.hpp>

#include "bench/contestants/own_ends.hpp"
#include "bench/report/line_report.hpp"

namespace holdfast::bench {
namespace {

constexpr const char* about =
    "Measures a line: sends at one endpoint, receives at another, checks each message.\n"
    "Nobody else may use the line meanwhile: a message of somebody else ends the run, unacked.";
constexpr const char* endpoints =
    "Endpoints: @tcp://*:5555 binds (plain ones alone), >tcp://host:5555 or none connects.";

struct command {
  own_line line;
  work asked;
  bool plain = false, json = false;
};

const std::map<std::string, own_line::kind> kinds{{"pipeline", own_line::kind::pipeline},
                                                  {"pubsub", own_line::kind::pubsub},
                                                  {"reqrep", own_line::kind::reqrep}};
const std::map<std::string, durability> levels{{"process", durability::process},
                                               {"interval", durability::interval},
                                               {"disk", durability::disk}};

void add_line(CLI::App& to, command& into) {
  own_line& line = into.line;
  to.add_option("TO", line.to.endpoint, "Where messages are sent")->required();
  to.add_option("FROM", line.from.endpoint, "Where they come out; requests: where they are taken")
      ->required();
  to.add_option("--pattern", line.pattern, "Which (default: pipeline)")
      ->transform(CLI::CheckedTransformer(kinds))
      ->option_text("pipeline|pubsub|reqrep");
  to.add_flag("--plain", into.plain, "Both ends are raw sockets");
  to.add_flag("--plain-to", line.to.plain, "TO takes a raw PUSH, PUB or DEALER");
  to.add_flag("--plain-from", line.from.plain, "FROM takes a raw PULL, SUB or REP");
  to.add_option("--name", line.name, "Queue, topic or service (default: the channel's; bench)");
  to.add_option("--durability", line.level, "Asked for by a reliable TO (default: disk)")
      ->transform(CLI::CheckedTransformer(levels))
      ->option_text("process|interval|disk");
  to.add_option("--in-flight", line.in_flight, "Requests open at a time")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
}

void add_work(CLI::App& to, command& into) {
  to.add_option("--size", into.asked.bytes, "Bytes of a message")
      ->check(CLI::Range(16, 1 << 28))
      ->capture_default_str();
  to.add_option("--seconds", into.asked.seconds, "How long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  to.add_option("--rate", into.asked.per_second,
                "Messages a second, each timed from the moment it is due (default: all it takes)")
      ->check(CLI::PositiveNumber);
  to.add_flag("--json", into.json, "Print JSON");
}

int measure(command& asked) {
  own_line& line = asked.line;
  line.to.plain = line.to.plain || asked.plain;
  line.from.plain = line.from.plain || asked.plain;
  const sample seen = run_line(opener_of(line), asked.asked);
  if (!seen.failure.empty())
    give_up(line.to.endpoint + " to " + line.from.endpoint + ": " + seen.failure);
  const std::string text = asked.json ? line_json(asked.asked, seen) : line_text(asked.asked, seen);
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  CLI::App app(about, "holdfast bench");
  app.footer(endpoints);
  command asked;
  asked.asked.seconds = 5;
  asked.asked.run = std::random_device()();
  add_line(app, asked);
  add_work(app, asked);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return measure(asked);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "holdfast: %s\n", failure.what());
    return 1;
  }
}
