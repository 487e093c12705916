#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "devices/cli/commands.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {

// A program of its own, so that the command carries no benchmark.
int run(const bench_args& args) {
  std::error_code unknown;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", unknown);
  std::string program = own.parent_path() / "holdfast-bench";
  std::vector<std::string> words = args.words;
  std::vector<char*> all{program.data()};
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  ::execv(program.c_str(), all.data());
  return fail({errc::not_found, program + ": cannot be run (" + std::strerror(errno) +
                                    "); it is installed beside the command"});
}

}  // namespace holdfast::cli
