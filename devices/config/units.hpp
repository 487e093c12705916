// units: sizes, durations and durability levels as people write them.
//
// Contract: pure; whole numbers only, no sign; a number that does not fit 64 bits is an error. The
// text of a failure says what was read and what to write instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/record.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// "64MiB", "20 GiB", "1MB", "4096" -> bytes.
result<std::uint64_t> parse_bytes(std::string_view text);
/// "50ms", "30s", "2h" -> nanoseconds. Only 0 may stand without a unit.
result<std::uint64_t> parse_duration(std::string_view text);
/// "42" -> 42.
result<std::uint64_t> parse_number(std::string_view text);

struct durability_setting {
  level need = level::disk;
  std::uint32_t interval_ms = 50;  ///< meaningful for level::interval
};
/// "disk", "process" or "interval:50ms" (1 ms to one hour).
result<durability_setting> parse_durability(std::string_view text);
/// The same text back.
std::string to_text(const durability_setting& value);

}  // namespace holdfast
