// scenario_file: stories as text. A file is a list of steps; a step is command lines, a line
// `----`, and what is expected to come out, up to a blank line. Lines beginning with # are for the
// reader.
//
// Contract: run_scenarios() runs every *.txt of a folder, each in a world of its own, and CHECKs
// every step. With HOLDFAST_REWRITE set in the environment it writes what
// came out into the files instead.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// One command line: the verb, key=value options, and the other words in order.
struct scenario_command {
  std::string verb;
  std::vector<std::string> words;
  std::map<std::string, std::string> options;

  bool has(const std::string& word) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  std::uint64_t number(const std::string& key, std::uint64_t otherwise) const;
};

/// What a story plays in. Output ends in a newline where it is not empty.
class scenario_world {
 public:
  virtual ~scenario_world() = default;
  virtual std::string run(const scenario_command& command) = 0;
};

using world_maker = std::function<std::unique_ptr<scenario_world>()>;

/// Returns how many files were run.
std::size_t run_scenarios(const std::string& folder, const world_maker& make);

}  // namespace holdfast
