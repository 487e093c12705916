// answering: what a command makes of one request: its input and its reply as parts.
//
// Contract: without --json and --parts a request of one part is the command's input as it is, and
// what it prints, without one last line break, is the reply's one part; else both are lines of that
// form.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/cli/line_format.hpp"

namespace holdfast::cli {

/// A failure is the command's own: its exit status, or a line that cannot be read.
result<std::vector<std::string>> answer(const line_format& format, const std::string& command,
                                        std::span<const std::string_view> request,
                                        const std::function<void()>& still);

}  // namespace holdfast::cli
