#include "bench/contestants/servers.hpp"

#include <filesystem>
#include <fstream>

namespace holdfast::bench {
namespace {

std::string last_line_of(const std::string& path) {
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) last = line;
  return last;
}

}  // namespace

std::string installed(const std::string& name) {
  // RabbitMQ's own folder first: what it has in sbin becomes another user, who may not write here.
  for (const char* folder : {"/usr/lib/rabbitmq/bin/", "/usr/bin/", "/usr/sbin/"})
    if (std::filesystem::exists(folder + name)) return folder + name;
  give_up(name + " is not installed; ./dev bench --peers does that");
}

setup setup_in_scratch() {
  setup made;
  made.scratch = std::make_unique<scratch_directory>();
  return made;
}

void start_server(setup& of, const std::vector<std::string>& command, std::uint16_t port) {
  const log_file log{of.scratch->path() + "/log"};
  of.broker.emplace(command, log);
  try {
    wait_listening(port, *of.broker);
  } catch (const std::exception& failure) {
    give_up(failure.what() + (": " + last_line_of(log.path)));
  }
}

std::string write_scratch(const setup& of, const std::string& name, const std::string& text) {
  std::string path = of.scratch->path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

}  // namespace holdfast::bench
