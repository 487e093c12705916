#include "tests/patterns/scenario_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast {
namespace {

scenario_command parse(const std::string& line) {
  scenario_command made;
  std::istringstream in(line);
  in >> made.verb;
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      made.words.push_back(word);
    else
      made.options[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return made;
}

bool rewriting() {
  return std::getenv("HOLDFAST_REWRITE") != nullptr;
}

// Plays one file; gives its text with what came out in place of what was expected.
std::string play(const std::filesystem::path& file, scenario_world& world) {
  std::ifstream in(file);
  std::string line, made, output;
  std::size_t number = 0, step = 0;
  while (std::getline(in, line)) {
    ++number;
    made += line + "\n";
    if (line.empty() || line[0] == '#') continue;
    if (line != "----") {
      if (output.empty()) step = number;
      output += world.run(parse(line));
      continue;
    }
    std::string expected;
    while (std::getline(in, line) && ++number && !line.empty()) expected += line + "\n";
    if (!rewriting())
      CHECK_MESSAGE(output == expected, file.filename().string(), ":", step, "\ncame out:\n",
                    output, "expected:\n", expected);
    made += output + "\n";
    output.clear();
  }
  CHECK_MESSAGE(output.empty(), file.filename().string(), " ends with commands but no ----");
  while (made.size() > 1 && made[made.size() - 2] == '\n') made.pop_back();
  return made;
}

}  // namespace

bool scenario_command::has(const std::string& word) const {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string scenario_command::text(const std::string& key, const std::string& otherwise) const {
  const auto found = options.find(key);
  return found == options.end() ? otherwise : found->second;
}

std::uint64_t scenario_command::number(const std::string& key, std::uint64_t otherwise) const {
  const auto found = options.find(key);
  return found == options.end() ? otherwise : std::stoull(found->second);
}

std::size_t run_scenarios(const std::string& folder, const world_maker& make) {
  std::vector<std::filesystem::path> files;
  for (const auto& found : std::filesystem::directory_iterator(folder))
    if (found.path().extension() == ".txt") files.push_back(found.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const std::unique_ptr<scenario_world> world = make();
    const std::string made = play(file, *world);
    if (rewriting()) std::ofstream(file) << made;
  }
  return files.size();
}

}  // namespace holdfast
