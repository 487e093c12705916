// The verb reqrep: one request-reply device.
#include "devices/cli/device_words.hpp"

namespace holdfast::cli {
namespace {

void add_routers(CLI::App& app, const char* name, const char* help,
                 std::vector<plain_input>& into) {
  app.add_option_function<std::vector<std::string>>(
      name,
      [&into](const std::vector<std::string>& all) {
        for (const std::string& endpoint : all) into.emplace_back().endpoint = endpoint;
      },
      help);
}

}  // namespace

void add_reqrep_device_words(verbs& to) {
  auto [app, words] = add_device_verb<reqrep_options>(
      to, "reqrep", "Run one request-reply device without a file",
      {"Endpoint for plain REQ and DEALER clients", "Endpoint for plain REP workers"});
  add_routers(app, "--workers", "Endpoint for DEALER workers that say READY",
              words.channel().workers);
  add_routers(app, "--mdp", "Endpoint for Majordomo clients and workers", words.channel().mdp);
}

}  // namespace holdfast::cli
