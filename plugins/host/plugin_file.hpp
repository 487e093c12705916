// plugin_file: brings a plugin from disk into the process.
//
// Contract: a plugin is never unloaded; loading the same file again gives the same one. Refused: a
// file or a directory on its way (of the name given and of what it links to) that anybody may write
// to: its content would run with the device's rights.
#pragma once

#include <string>
#include <vector>

#include "plugins/host/serializer_type.hpp"

namespace holdfast::plugins {

/// Errors: not_found, denied (not safe to load), invalid (no plugin), unsupported (another
/// version).
result<std::vector<serializer_type>> load_plugin(const std::string& path);

/// What load_plugin() refuses before it touches the content; the status of stat() as well.
status safe_to_load(const std::string& path);

}  // namespace holdfast::plugins
