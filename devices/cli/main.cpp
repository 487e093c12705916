// holdfast: the command. Parses, runs, returns.
#include <malloc.h>

#include <csignal>

#include "devices/cli/command_line.hpp"

namespace {

// Big messages come and go: given back to the system at once, each would cost a page fault for each
// 4 KiB of it. One arena for all threads: what one frees another uses again; the others' heaps end
// with their last block, whatever the threshold.
void keep_freed_memory() {
#ifdef M_TRIM_THRESHOLD
  constexpr int kept_bytes = 64 << 20, mapped_bytes = 32 << 20;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
  mallopt(M_MMAP_THRESHOLD, mapped_bytes);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace holdfast::cli;
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, told as such
  auto parsed = parse_command_line(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  return std::visit([](const auto& args) { return run(args); }, std::get<command>(parsed));
}
