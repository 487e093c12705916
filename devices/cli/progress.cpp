#include "devices/cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace holdfast::cli {
namespace {

constexpr const char* begin_of_line = "\r";
constexpr const char* wipe = "\r\x1b[K";

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

std::string time_left(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::lround(std::min(seconds, 359'999.0)));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

}  // namespace

progress::writer progress::to_terminal() {
  if (::isatty(STDERR_FILENO) == 0) return {};
  return [](const std::string& text) { std::fputs(text.c_str(), stderr); };
}

std::string progress_text(const std::string& what, std::uint64_t done, std::uint64_t total,
                          std::uint64_t elapsed_ns) {
  done = std::min(done, total);
  const double share = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double seconds = static_cast<double>(elapsed_ns) / static_cast<double>(second_ns);
  std::string text = what + ": " + std::to_string(static_cast<int>(share * 100)) + " %, " +
                     bytes_text(static_cast<double>(done)) + " of " +
                     bytes_text(static_cast<double>(total));
  if (elapsed_ns == 0 || done == 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  return text + ", " + bytes_text(rate) + "/s, " +
         time_left(static_cast<double>(total - done) / rate) + " left";
}

progress::progress(std::string what, std::uint64_t total_bytes)
    : progress(std::move(what), total_bytes, system_now, to_terminal()) {}

progress::progress(std::string what, std::uint64_t total_bytes, clock now, writer write)
    : what_(std::move(what)), total_(total_bytes), now_(std::move(now)), write_(std::move(write)) {
  if (!write_) return;
  begun_ns_ = now_().now_ns;
  next_ns_ = begun_ns_ + every_ns;
}

void progress::at(std::uint64_t done_bytes) {
  if (!write_) return;
  const std::uint64_t now = now_().now_ns;
  if (now < next_ns_) return;
  next_ns_ = now + every_ns;
  shown_ = true;
  write_(begin_of_line + progress_text(what_, done_bytes, total_, now - begun_ns_) + "\x1b[K");
}

void progress::end() {
  if (shown_) write_(wipe);
  shown_ = false;
}

}  // namespace holdfast::cli
