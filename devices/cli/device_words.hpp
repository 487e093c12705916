// device_words: what the verbs that run one device with one channel have in common: pipeline,
// pubsub, reqrep.
//
// Contract: internal to the command line, as words.hpp.
#pragma once

#include <string>
#include <vector>

#include "devices/cli/words.hpp"

namespace holdfast::cli {

/// What such a verb is told, and the device it becomes.
struct device_words {
  device_words() { args.device.channels.resize(1); }
  channel_options& channel() { return args.device.channels[0]; }

  std::vector<std::string> in, out;
  std::string name;
  std::string durable;  ///< for every output
  plain_tracking peers = plain_tracking::separate;
  device_args args;
};

/// What stands in the help of --in and --out.
struct endpoint_help {
  const char* in;
  const char* out;
};

taken take_device(device_words& words);
void add_device_options(CLI::App& app, device_words& words, const endpoint_help& help);

/// --durability, --max-message, --disk-limit of a device with one channel.
void add_limits(CLI::App& app, device_options& device);

/// A verb for channels with `Options`, which give the device its name too.
template <class Options>
std::pair<CLI::App&, device_words&> add_device_verb(verbs& to, const char* name, const char* about,
                                                    const endpoint_help& help) {
  auto [app, words] = to.add<device_words>(name, about, take_device);
  words.channel().pattern = Options();
  add_device_options(app, words, help);
  return {app, words};
}

}  // namespace holdfast::cli
