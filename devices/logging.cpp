#include "devices/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <string>
#include <utility>

namespace holdfast {
namespace {

constexpr std::array<std::pair<std::string_view, log_level>, 5> level_names{{
    {"debug", log_level::debug},
    {"info", log_level::info},
    {"warning", log_level::warning},
    {"error", log_level::error},
    {"off", log_level::off},
}};

spdlog::level::level_enum native(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
    case log_level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

/// Made on first use and never destroyed: threads may log while the process ends.
spdlog::logger& logger() {
  static spdlog::logger* made = [] {
    auto* l = new spdlog::logger("holdfast", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    l->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    l->flush_on(spdlog::level::debug);
    return l;
  }();
  return *made;
}

void write(spdlog::level::level_enum level, std::string_view line) noexcept {
  try {
    logger().log(level, spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {
    // A line that cannot be written must not stop a device.
  }
}

}  // namespace

result<log_level> parse_log_level(std::string_view text) {
  for (const auto& [name, level] : level_names)
    if (name == text) return level;
  return {errc::invalid,
          "'" + std::string(text) + "' is no log level; write debug, info, warning, error or off"};
}

void set_log_level(log_level lowest) noexcept {
  try {
    logger().set_level(native(lowest));
  } catch (...) {
    // Without memory for a logger there is nothing to set.
  }
}

void log_debug(std::string_view line) noexcept {
  write(spdlog::level::debug, line);
}
void log_info(std::string_view line) noexcept {
  write(spdlog::level::info, line);
}
void log_warning(std::string_view line) noexcept {
  write(spdlog::level::warn, line);
}
void log_error(std::string_view line) noexcept {
  write(spdlog::level::err, line);
}

}  // namespace holdfast
