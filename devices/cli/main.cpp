// holdfast: the command. Parses, runs, returns.
#include <csignal>

#include "devices/cli/command_line.hpp"
#include "devices/cli/freed_memory.hpp"

int main(int argc, char** argv) {
  using namespace holdfast::cli;
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, told as such
  auto parsed = parse_command_line(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  return std::visit([](const auto& args) { return run(args); }, std::get<command>(parsed));
}
