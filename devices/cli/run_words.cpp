// The verbs about a configuration file: run, check.
#include "devices/cli/words.hpp"

namespace holdfast::cli {

void add_run_words(verbs& to) {
  auto [run, run_with] =
      to.add<run_args>("run", "Run the devices of a configuration file in the foreground");
  run.add_option("CONFIG", run_with.config, "Configuration, YAML")->required();
  add_log_level(run, run_with.log_level);

  auto [check, check_with] =
      to.add<check_args>("check", "Every error of a configuration file at once");
  check.add_option("CONFIG", check_with.config, "Configuration, YAML")->required();
}

}  // namespace holdfast::cli
