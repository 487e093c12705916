#include "bench/report/words.hpp"

#include <fmt/format.h>

namespace holdfast::bench {
namespace {

// Two or three digits that count.
std::string digits(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, value >= 10 ? 1 : 2);
}

}  // namespace

std::string size_word(std::size_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return fmt::format("{} KiB", bytes >> 10);
  return fmt::format("{} B", bytes);
}

std::string count_word(double value) {
  if (value >= 1e6) return digits(value / 1e6) + " M";
  return value >= 1e4 ? digits(value / 1e3) + " k" : fmt::format("{:.0f}", value);
}

std::string bytes_word(double bytes) {
  if (bytes >= 1 << 30) return digits(bytes / (1 << 30)) + " GiB";
  return digits(bytes / (1 << 20)) + " MiB";
}

std::string time_word(double us) {
  return us >= 1000 ? digits(us / 1000) + " ms" : digits(us) + " us";
}

std::string ratio_word(double ratio) {
  return ratio >= 0.1 ? digits(ratio) : fmt::format("{:.3f}", ratio);
}

}  // namespace holdfast::bench
