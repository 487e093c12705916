// command_line: the words a person typed as a command to run. With *_words.cpp the only
// door to CLI11.
//
// Contract: never exits and never throws; help and version are printed on standard output, mistakes
// on standard error with the nearest valid word.
#pragma once

#include <variant>

#include "devices/cli/commands.hpp"

namespace holdfast::cli {

/// A command, or the exit status when there is nothing (more) to do.
std::variant<command, int> parse_command_line(int argc, const char* const* argv);

}  // namespace holdfast::cli
