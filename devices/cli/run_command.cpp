// run, pipeline, pubsub, reqrep: devices in the foreground, from a file or from the command line.
#include <cstdio>

#include "devices/cli/commands.hpp"
#include "devices/cli/device_host.hpp"
#include "devices/cli/report.hpp"
#include "devices/config/config.hpp"
#include "devices/logging.hpp"
#include "devices/sidecar/sidecar.hpp"

namespace holdfast::cli {
namespace {

// `beside`: made once the device is, if there is anything to run beside it.
int host(std::vector<device_options> devices, const std::string& log_words,
         const device_host::make_companion& beside = {}) {
  auto level = parse_log_level(log_words);
  if (!level) return fail(level.take_status());
  set_log_level(*level);
  stop_signals signals;  // before libzmq starts its threads
  auto process = context::open();
  if (!process) return fail(process.take_status());
  return device_host(*process, signals, std::move(devices)).run(beside);
}

}  // namespace

int run(const run_args& args) {
  auto read = load_config(args.config);
  if (!read) return fail(read.take_status());
  for (const config_error& error : read->errors)
    std::fprintf(stderr, "%s\n", to_text(args.config, error).c_str());
  if (!read->errors.empty()) return failed;
  return host(std::move(read->devices), args.log_level);
}

int run(const sidecar_args& args) {
  auto device = device_of(args.sidecar);
  if (!device) return fail(device.take_status());
  if (const status holds = check_devices({*device}); !holds) return fail(holds);
  return host({std::move(*device)}, args.log_level, [&](const context& in, device_thread& of) {
    return std::make_unique<bridge_thread>(in, args.sidecar, of);
  });
}

int run(const device_args& args) {
  return host({args.device}, args.log_level);
}

}  // namespace holdfast::cli
