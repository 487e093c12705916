#include "devices/export/time_text.hpp"

#include <cstdio>
#include <ctime>

#include "base/clock.hpp"

namespace holdfast {
namespace {

constexpr int digits_max = 9;

// ".25" as nanoseconds; moves `at` behind it. False where it is none.
bool take_fraction(const char*& at, std::uint64_t& ns) {
  ns = 0;
  if (*at != '.') return true;
  int digits = 0;
  for (++at; *at >= '0' && *at <= '9' && digits < digits_max; ++at, ++digits)
    ns = ns * 10 + static_cast<std::uint64_t>(*at - '0');
  if (digits == 0) return false;
  for (; digits < digits_max; ++digits) ns *= 10;
  return true;
}

}  // namespace

std::string time_text(std::uint64_t real_ns) {
  const auto seconds = static_cast<std::time_t>(real_ns / second_ns);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32];
  char whole[64];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(whole, sizeof whole, "%s.%09lluZ", day,
                static_cast<unsigned long long>(real_ns % second_ns));
  return whole;
}

result<std::uint64_t> parse_time_text(const std::string& text) {
  const status bad{errc::invalid, "'" + text + "' is not a time such as 2026-03-01T12:30:00Z"};
  std::tm parts{};
  const char* at = strptime(text.c_str(), "%Y-%m-%d", &parts);
  if (at != nullptr && *at == 'T') at = strptime(at, "T%H:%M:%S", &parts);
  std::uint64_t fraction = 0;
  if (at == nullptr || !take_fraction(at, fraction)) return bad.copy();
  if (*at == 'Z') ++at;
  const std::time_t seconds = timegm(&parts);
  if (*at != 0 || seconds < 0) return bad.copy();
  return static_cast<std::uint64_t>(seconds) * second_ns + fraction;
}

}  // namespace holdfast
