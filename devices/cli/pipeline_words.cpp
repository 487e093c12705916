// The verbs of push/pull: pipeline, push, pull.
#include "devices/cli/device_words.hpp"
#include "devices/cli/words.hpp"

namespace holdfast::cli {
namespace {

void add_pipeline(verbs& to) {
  auto [app, words] = add_device_verb<pipeline_options>(
      to, "pipeline", "Run one push/pull device without a file",
      {"Endpoint for plain PUSH peers", "Endpoint for plain PULL peers"});
  app.add_option("--ack-back", words.channel().ack_back,
                 "Endpoint that takes delivery ids back (with --peers ack_back)");
}

}  // namespace

void add_pipeline_words(verbs& to) {
  add_pipeline(to);

  auto [push, out] = to.add<push_args>("push", "Send each line of standard input as a message");
  push.footer("Exit status 0 once every message is accepted.");
  push.add_option("ENDPOINT", out.endpoint, "Reliable endpoint of a device")->required();
  push.add_option("--queue", out.queue, "Queue (default: the channel's)");
  add_timeout(push, "Give up after so long without progress", out.timeout_ns);
  add_form(push, out.plain, out.format);

  auto [pull, in] =
      to.add<pull_args>("pull", "Print each message as a line, ack it once it is written");
  pull.add_option("ENDPOINT", in.endpoint, "Reliable endpoint of a device")->required();
  pull.add_option("--queue", in.queue, "Queue (default: the channel's)");
  add_count(pull, "Stop after so many messages", in.count);
  add_timeout(pull, "Stop after so long without a message", in.timeout_ns);
  add_form(pull, in.plain, in.format);
  add_decode(pull, in.decode);
}

}  // namespace holdfast::cli
