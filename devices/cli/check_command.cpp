#include <cstdio>

#include "devices/cli/commands.hpp"
#include "devices/cli/report.hpp"
#include "devices/config/config.hpp"

namespace holdfast::cli {

int run(const check_args& args) {
  auto read = load_config(args.config);
  if (!read) return fail(read.take_status());
  for (const config_error& error : read->errors)
    std::fprintf(stderr, "%s\n", to_text(args.config, error).c_str());
  if (!read->errors.empty()) return failed;
  std::printf("%s: good, %zu device%s\n", args.config.c_str(), read->devices.size(),
              read->devices.size() == 1 ? "" : "s");
  return done;
}

}  // namespace holdfast::cli
