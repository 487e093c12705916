// message_choice: which messages of a journal are wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A place to begin or end: a sequence, in every stream, or a moment.
struct export_bound {
  bool is_time = false;
  std::uint64_t value = 0;  ///< a sequence, or ns since 1970 UTC
};

/// What is wanted; whatever is empty asks for all.
struct message_choice {
  std::string channel;
  std::vector<std::string> addresses;  ///< exactly
  std::vector<std::string> topics;     ///< prefixes of addresses
  std::optional<export_bound> from;    ///< and later
  std::optional<export_bound> to;      ///< and earlier; it itself not
};

}  // namespace holdfast
