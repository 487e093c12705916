// The verb pubsub: one publish/subscribe device.
#include "devices/cli/device_words.hpp"

namespace holdfast::cli {

void add_pubsub_device_words(verbs& to) {
  auto [app, words] = add_device_verb<pubsub_options>(
      to, "pubsub", "Run one publish/subscribe device without a file",
      {"Endpoint for plain publishers", "Endpoint for plain subscribers"});
  app.add_option("--durable", words.durable,
                 "Name of the subscription behind --out: it outlives its one subscriber");
}

}  // namespace holdfast::cli
