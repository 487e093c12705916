// The device a sidecar is: one channel with a plain socket for the application and a reliable one
// for the bridge.
#include "devices/sidecar/sidecar.hpp"

namespace holdfast {
namespace {

using side = sidecar_options::side;
/// A message on its way up waits for a far device that may be away for long: the lease must not run
/// out, and no number of tries is too many.
constexpr std::uint64_t lease_ns = 24ull * 3600 * second_ns;

plain_input input_of(const sidecar_options& options) {
  plain_input made;
  made.endpoint = options.application;
  made.subscribes = options.what == side::sub;
  return made;
}

plain_output output_of(const sidecar_options& options) {
  plain_output made;
  made.endpoint = options.application;
  made.durable = options.durable;
  return made;
}

// What is published waits in a queue as well: nothing may go before the far device has it.
pattern_options queue_of() {
  pipeline_options made;
  made.lease_ns = lease_ns;
  made.attempts_max = 0;
  return made;
}

pattern_options requests_of(const sidecar_options& options) {
  reqrep_options made;
  made.deadline_ns = options.deadline_ns;
  made.attempt_ns = options.what == side::rep ? lease_ns : options.attempt_ns;
  if (options.what == side::rep) made.attempts_max = 0;
  return made;
}

pattern_options pattern_of(const sidecar_options& options) {
  switch (options.what) {
    case side::pub: return pubsub_options();
    case side::rep:
    case side::worker: return requests_of(options);
    default: return queue_of();
  }
}

bool takes_in(side what) {
  return what == side::pull || what == side::sub || what == side::rep;
}

}  // namespace

result<device_options> device_of(const sidecar_options& options) {
  device_options made = options.device;
  channel_options& channel = made.channels.emplace_back();
  channel.pattern = pattern_of(options);
  channel.settings() = options.channel;
  channel.settings().name = "sidecar";
  channel.reliable.push_back(std::string("@") + sidecar_endpoint);
  if (takes_in(options.what))
    channel.in.push_back(input_of(options));
  else
    channel.out.push_back(output_of(options));
  return made;
}

}  // namespace holdfast
