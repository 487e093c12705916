// child: runs a shell command with bytes on its standard input, and takes what it prints.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast::cli {

struct child_outcome {
  std::string output;
  int exit_status = 0;  ///< 128 + signal where one ended it
};

/// Waits for the end; `still` is called once a second meanwhile. io: it cannot be started.
result<child_outcome> run_child(const std::string& command, std::string_view input,
                                const std::function<void()>& still);

}  // namespace holdfast::cli
