// logging: what a device tells people, one line each, on standard error. The only door to spdlog.
//
// Contract: callable from any thread; a line is written whole. Nothing on a path per message logs;
// what can repeat is counted and reported by the caller at most once a second.
#pragma once

#include <cstdint>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast {

enum class log_level : std::uint8_t { debug, info, warning, error, off };

/// "debug", "info", "warning", "error", "off".
result<log_level> parse_log_level(std::string_view text);
/// Default: info. Takes effect at once, for the whole process.
void set_log_level(log_level lowest) noexcept;

void log_debug(std::string_view line) noexcept;
void log_info(std::string_view line) noexcept;
void log_warning(std::string_view line) noexcept;
void log_error(std::string_view line) noexcept;

}  // namespace holdfast
