// throughput: messages a second and CPU time per message of each process, for reliable producer ->
// device -> worker and for plain PUSH -> zmq_proxy -> PULL, measured in the same run, and the
// ratio.
//
//   throughput_bench [--seconds S] [--sizes 64,1024,...] [--levels process,disk]
//
// The figures are a machine's; the ratio is what to compare.
#include "bench/measure.hpp"
#include "bench/peers.hpp"

namespace holdfast::bench {
namespace {

std::vector<child> one_receiver(const std::function<void()>& body) {
  std::vector<child> all;
  all.emplace_back(body);
  return all;
}

figures through_proxy(const options& chosen, std::size_t bytes) {
  const line at{free_endpoint(), free_endpoint(), bytes, ahead_of(bytes), make_counters()};
  const child middle([&] { proxy(at); });
  const auto receivers = one_receiver([&] { plain_receiver(at); });
  const child sender([&] { plain_sender(at); });
  return measure({at.shared}, sender, middle, receivers, chosen.seconds);
}

figures through_device(const options& chosen, std::size_t bytes, const std::string& level) {
  const std::string endpoint = free_endpoint();
  const line at{endpoint, endpoint, bytes, ahead_of(bytes), make_counters()};
  const scratch_directory data;
  const child middle = start_device(chosen, "pipeline", data.path(), endpoint, level);
  const auto receivers = one_receiver([&] { reliable_receiver(at); });
  const child sender([&] { reliable_sender(at); });
  return measure({at.shared}, sender, middle, receivers, chosen.seconds);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  options defaults;
  defaults.sizes = {64, 1024, 64 * 1024, 1024 * 1024};
  const options chosen = parse(argc, argv, defaults);
  compare(
      chosen, [&](std::size_t bytes) { return through_proxy(chosen, bytes); },
      [&](std::size_t bytes, const std::string& level) {
        return through_device(chosen, bytes, level);
      });
}
