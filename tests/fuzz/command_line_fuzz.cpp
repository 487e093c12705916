// Arbitrary words as a command line; nothing is carried out. Usage mistakes have a sentence on
// standard error and status 2, help and version have status 0, and a device that was described
// passes all that a configuration file has to pass.
#include <cstdio>
#include <iostream>
#include <sstream>

#include "devices/cli/command_line.hpp"
#include "devices/config/config.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

// Holds what is written to the standard streams; sanitizers write past them.
class heard {
 public:
  heard() : out_(std::cout.rdbuf(said_.rdbuf())), error_(stderr) {
    stderr = open_memstream(&text_, &size_);
  }
  ~heard() {
    std::fclose(stderr);
    stderr = error_;
    std::free(text_);
    std::cout.rdbuf(out_);
  }
  std::string complaint() {
    std::fflush(stderr);
    return {text_, size_};
  }
  std::string said() const { return said_.str(); }

 private:
  std::ostringstream said_;
  std::streambuf* out_;
  FILE* error_;
  char* text_ = nullptr;
  std::size_t size_ = 0;
};

std::vector<std::string> words_of(bytes_view bytes) {
  std::vector<std::string> words{"holdfast"};
  std::string word;
  for (const std::byte b : bytes) {
    if (b != std::byte{'\n'} && b != std::byte{0}) {
      word += static_cast<char>(b);
      continue;
    }
    words.push_back(std::exchange(word, {}));
  }
  words.push_back(word);
  return words;
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  const std::vector<std::string> words = words_of(fuzz_input(data, size).rest());
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  heard streams;
  const auto parsed = holdfast::cli::parse_command_line(static_cast<int>(argv.size()), argv.data());
  if (const int* outcome = std::get_if<int>(&parsed)) {
    must(*outcome == 0 || *outcome == 2);
    must(*outcome == 0
             ? !streams.said().empty()
             : streams.complaint().starts_with("holdfast: ") && streams.complaint().size() > 12);
    return 0;
  }
  must(streams.said().empty() && streams.complaint().empty());
  const auto& made = std::get<holdfast::cli::command>(parsed);
  if (const auto* of = std::get_if<holdfast::cli::device_args>(&made))
    must(holdfast::check_devices({of->device}).ok());
  return 0;
}
