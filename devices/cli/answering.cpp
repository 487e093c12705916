#include "devices/cli/answering.hpp"

#include "devices/cli/child.hpp"

namespace holdfast::cli {

result<std::vector<std::string>> answer(const line_format& format, const std::string& command,
                                        std::span<const std::string_view> request,
                                        const std::function<void()>& still) {
  const bool as_lines = format.json || !format.separator.empty();
  std::string input;
  if (!as_lines && request.size() == 1)
    input = request[0];
  else
    write_line(format, request, {}, input);
  auto outcome = run_child(command, input, still);
  if (!outcome) return outcome.take_status();
  if (outcome->exit_status != 0)
    return status{errc::invalid,
                  "the command ended with status " + std::to_string(outcome->exit_status)};
  std::string& output = outcome->output;
  if (output.ends_with('\n')) output.pop_back();
  if (as_lines) return parse_line(format, output);
  return std::vector<std::string>{std::move(output)};
}

}  // namespace holdfast::cli
