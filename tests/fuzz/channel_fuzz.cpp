// Whatever peers may send to a channel of each pattern: frames of HFP/1 with and without a session,
// frames of REQ, DEALER, REP, READY-style and Majordomo peers, subscriptions, in any order, with
// time, commits and restarts between them. The first byte says which pattern.
#include "tests/fuzz/foreign_peers.hpp"
#include "tests/patterns/device_world.hpp"
#include "tests/patterns/pubsub_world.hpp"
#include "tests/patterns/reqrep_world.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  switch (in.take<std::uint8_t>() % 3) {
    case 0: play<device_world>(in, pipeline_options()); break;
    case 1: play<pubsub_world>(in, pubsub_options()); break;
    default: play<reqrep_world>(in, reqrep_options()); break;
  }
  return 0;
}
