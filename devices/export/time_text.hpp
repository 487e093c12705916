// time_text: moments as people write them, UTC.
//
// Contract: pure; nanoseconds since 1970-01-01 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast {

/// "2026-03-01T12:30:00.000000000Z"
std::string time_text(std::uint64_t real_ns);
/// "2026-03-01T12:30:00Z", with up to nine digits of a fraction; the Z may be left out, and the
/// whole time of the day (then it is 00:00:00).
result<std::uint64_t> parse_time_text(const std::string& text);

}  // namespace holdfast
