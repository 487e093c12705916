// config: a configuration file as the options of its devices, or everything that is wrong with it.
//
// Contract: reads one file of at most 1 MiB, opens nothing else. All errors are found in one go,
// in the order of their places; with any, no device may be run. Keys: docs/configuration.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "devices/device_options.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

struct config_error {
  int line = 1;    ///< from 1
  int column = 1;  ///< from 1
  std::string text;
};

struct configuration {
  std::vector<device_options> devices;
  std::vector<config_error> errors;  ///< empty: the devices may be run
};

/// Failed status: the file cannot be read at all.
result<configuration> load_config(const std::string& path);
configuration parse_config(const std::string& yaml);

/// "path:line:column: text".
std::string to_text(const std::string& path, const config_error& error);

/// What a command line and a file both must obey: places and names used twice, endpoints that
/// cannot be what they are asked to be. Failed with the first mistake.
status check_devices(const std::vector<device_options>& devices);

}  // namespace holdfast
