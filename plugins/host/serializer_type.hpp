// serializer_type: a serializer's table as this build understands it, and where it came from.
//
// Contract: what an older plugin's table does not have is null here, what a newer one has beyond
// ours is not looked at. The strings and functions live as long as the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/plugin.h"
#include "holdfast/status.hpp"

namespace holdfast::plugins {

struct serializer_type {
  holdfast_serializer table{};
  std::string origin;  ///< "built in", or the path of the plugin

  std::string_view name() const noexcept { return table.name; }
  /// The bit is set and the function is there.
  bool can(holdfast_ability ability) const noexcept;
  bool whole_message() const noexcept { return table.abilities & HOLDFAST_WHOLE_MESSAGE; }
};

inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::uint32_t serializers_max = 64;  ///< of one plugin

/// a-z, 0-9, '_' and '-', 1 to name_bytes_max of them.
bool valid_name(std::string_view name) noexcept;

/// All serializers behind an entry point. Errors: unsupported (another major version, none at all),
/// invalid (a table that breaks plugin.h); the text names `origin`.
result<std::vector<serializer_type>> read_tables(holdfast_plugin_entry_function entry,
                                                 const std::string& origin);

}  // namespace holdfast::plugins
