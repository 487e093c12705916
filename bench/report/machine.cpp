#include "bench/report/machine.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>

namespace holdfast::bench {
namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  return "unknown processor";
}

double memory_gib() {
  struct sysinfo of {};
  sysinfo(&of);
  return static_cast<double>(of.totalram) * of.mem_unit / (1 << 30);
}

std::string kernel() {
  utsname of{};
  uname(&of);
  return std::string(of.sysname) + " " + of.release;
}

// The type of the mount with the longest path that leads there.
std::string file_system_of(const std::string& path) {
  std::ifstream in("/proc/mounts");
  std::string best, type = "unknown";
  for (std::string device, at, kind, rest; in >> device >> at >> kind && std::getline(in, rest);) {
    const std::string prefix = at == "/" ? at : at + "/";
    if (!(path + "/").starts_with(prefix) || at.size() < best.size()) continue;
    best = at;
    type = kind;
  }
  return type;
}

}  // namespace

std::string describe_machine() {
  return fmt::format("{}, {} cores, {:.0f} GiB, {}, {}", processor(),
                     std::thread::hardware_concurrency(), memory_gib(), kernel(),
                     file_system_of(std::filesystem::temp_directory_path()));
}

double load_average() {
  double last_minute = 0;
  return getloadavg(&last_minute, 1) == 1 ? last_minute : 0;
}

}  // namespace holdfast::bench
