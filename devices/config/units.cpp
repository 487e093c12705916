#include "devices/config/units.hpp"

#include <array>
#include <charconv>
#include <span>

#include "base/clock.hpp"
#include "devices/config/nearest.hpp"

namespace holdfast {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 10> size_units{{{"", 1},
                                           {"B", 1},
                                           {"KiB", 1ull << 10},
                                           {"MiB", 1ull << 20},
                                           {"GiB", 1ull << 30},
                                           {"TiB", 1ull << 40},
                                           {"KB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000}}};

constexpr std::array<unit, 7> time_units{{{"ns", 1},
                                          {"us", 1'000},
                                          {"ms", ms_ns},
                                          {"s", second_ns},
                                          {"m", 60 * second_ns},
                                          {"h", 3600 * second_ns},
                                          {"d", 86'400 * second_ns}}};

status bad(std::string_view text, std::string_view wanted) {
  return {errc::invalid, "'" + std::string(text) + "' is not " + std::string(wanted)};
}

result<std::uint64_t> parse_quantity(std::string_view text, std::span<const unit> units,
                                     std::string_view wanted) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{}) return bad(text, wanted);
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  while (name.starts_with(' ')) name.remove_prefix(1);
  for (const unit& u : units) {
    if (u.name != name) continue;
    std::uint64_t value = 0;
    if (__builtin_mul_overflow(number, u.factor, &value))
      return status{errc::invalid, "'" + std::string(text) + "' does not fit 64 bits"};
    return value;
  }
  if (number == 0 && name.empty()) return std::uint64_t{0};
  return bad(text, wanted);
}

}  // namespace

result<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_quantity(text, size_units,
                        "a size: write a whole number and B, KiB, MiB, GiB or TiB, as 20GiB");
}

result<std::uint64_t> parse_duration(std::string_view text) {
  return parse_quantity(text, time_units,
                        "a duration: write a whole number and ns, us, ms, s, m, h or d, as 50ms");
}

result<std::uint64_t> parse_number(std::string_view text) {
  constexpr std::array<unit, 1> none{{{"", 1}}};
  return parse_quantity(text, none, "a whole number");
}

result<durability_setting> parse_durability(std::string_view text) {
  constexpr std::array<std::string_view, 3> words{"disk", "process", "interval:50ms"};
  constexpr std::string_view interval = "interval:";
  if (text == "disk") return durability_setting{level::disk};
  if (text == "process") return durability_setting{level::process};
  if (!text.starts_with(interval))
    return status{errc::invalid,
                  "'" + std::string(text) + "' is not a durability" + suggestion(text, words)};
  auto every = parse_duration(text.substr(interval.size()));
  if (!every) return every.take_status();
  if (*every < ms_ns || *every > 3600 * second_ns)
    return status{errc::invalid,
                  "'" + std::string(text) + "': the interval must be from 1ms to 1h"};
  return durability_setting{level::interval, static_cast<std::uint32_t>(*every / ms_ns)};
}

std::string to_text(const durability_setting& value) {
  switch (value.need) {
    case level::process: return "process";
    case level::interval: return "interval:" + std::to_string(value.interval_ms) + "ms";
    case level::disk: return "disk";
  }
  return "disk";
}

}  // namespace holdfast
