// Holdfast as the broker: the program that is shipped, with its defaults.
#include "bench/contestants/contestant.hpp"
#include "bench/contestants/plain_ends.hpp"
#include "bench/contestants/reliable_ends.hpp"

namespace holdfast::bench {
namespace {

const std::string windows = "publish window 65536 messages or 16 MiB; acks by batches";

durability level_of(const std::string& level) {
  if (level == "process") return durability::process;
  return level == "disk" ? durability::disk : durability::interval;
}

// A device of one channel; `sides`: its options that name endpoints.
setup start_device(const std::string& program, const std::string& pattern, const std::string& level,
                   const std::vector<std::string>& sides) {
  setup made;
  made.scratch = std::make_unique<scratch_directory>();
  const std::string stated = level == "interval" ? "interval:50ms" : level;
  std::vector<std::string> command{program, pattern,   "--data",       made.scratch->path(),
                                   "--log", "warning", "--durability", stated};
  command.insert(command.end(), sides.begin(), sides.end());
  made.broker.emplace(command, "holdfast: ready");
  return made;
}

}  // namespace

contestant plain_to_plain(const std::string& program, const std::string& peers,
                          const std::string& level) {
  return {"holdfast plain->plain " + peers, level, "peers: " + peers, [=](const work& asked) {
            const plain_end in{free_endpoint(), asked.bytes}, out{free_endpoint(), asked.bytes};
            setup made = start_device(
                program, "pipeline", level,
                {"--in", "@" + in.endpoint, "--out", "@" + out.endpoint, "--peers", peers});
            made.make_sender = [in] { return push_to(in); };
            made.make_receiver = [out] { return pull_from(out); };
            return made;
          }};
}

contestant plain_to_reliable(const std::string& program, const std::string& level) {
  return {"holdfast plain->reliable", level, "acks by batches", [=](const work& asked) {
            const plain_end in{free_endpoint(), asked.bytes};
            const std::string out = free_endpoint();
            setup made = start_device(program, "pipeline", level,
                                      {"--in", "@" + in.endpoint, "--reliable", "@" + out});
            made.make_sender = [in] { return push_to(in); };
            made.make_receiver = [out] { return work_for({out}); };
            return made;
          }};
}

contestant reliable_to_reliable(const std::string& program, const std::string& level) {
  return {"holdfast reliable->reliable", level, windows, [=](const work&) {
            const std::string at = free_endpoint();
            setup made = start_device(program, "pipeline", level, {"--reliable", "@" + at});
            made.make_sender = [=] { return produce_to({at, level_of(level)}); };
            made.make_receiver = [at] { return work_for({at}); };
            return made;
          }};
}

contestant reliable_fan_out(const std::string& program, const std::string& level) {
  return {"holdfast reliable->reliable", level, windows, [=](const work& asked) {
            const std::string at = free_endpoint();
            setup made = start_device(program, "pubsub", level, {"--reliable", "@" + at});
            reliable_end from{at, level_of(level)};
            from.topics = asked.topics;
            made.make_sender = [from] { return reliable_publish_to(from); };
            made.make_receiver = [at] { return reliable_subscribe_to({at}); };
            return made;
          }};
}

contestant reliable_requests(const std::string& program, const std::string& level,
                             unsigned in_flight) {
  return {"holdfast reliable->reliable", level, "requests journaled until their reply",
          [=](const work&) {
            const std::string at = free_endpoint();
            setup made = start_device(program, "reqrep", level, {"--reliable", "@" + at});
            made.make_sender = [=] {
              return reliable_ask_at({at, level_of(level), "", in_flight});
            };
            made.make_receiver = [=] {
              return reliable_answer_at({at, level_of(level), "", in_flight});
            };
            return made;
          }};
}

}  // namespace holdfast::bench
