#include "devices/cli/words.hpp"

namespace holdfast::cli {
namespace {

// Seconds where no unit is written: a person at a terminal means those.
result<std::uint64_t> parse_timeout(const std::string& text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return parse_duration(bare ? text + "s" : text);
}

}  // namespace

taken verbs::chosen() const {
  // A verb's verb was added after it.
  for (auto one = all_.rbegin(); one != all_.rend(); ++one)
    if (one->app->parsed()) return one->take();
  return 0;  // CLI11 refuses a line without a verb
}

void add_log_level(CLI::App& app, std::string& into) {
  app.add_option("--log", into, "Log: debug, info (default), warning, error or off");
}

void add_timeout(CLI::App& app, const char* help, std::optional<std::uint64_t>& into_ns) {
  parsed_option(app, "--timeout", help, parse_timeout,
                [&into_ns](std::uint64_t ns) { into_ns = ns; });
}

void add_form(CLI::App& app, bool& plain, line_format& format) {
  app.add_flag("--plain", plain, "A raw ZeroMQ socket, not the reliable protocol");
  auto* json = app.add_flag("--json", format.json, "Lines are {\"parts\": [...]}");
  parsed_option(app, "--parts", "What stands between the parts of a message: \\t, \\x1f, ...",
                unescape, [&format](std::string text) { format.separator = std::move(text); })
      ->excludes(json);
}

void add_decode(CLI::App& app, std::string& into) {
  app.add_option("--decode", into, "Serializer of the last part: its value is printed as JSON");
}

void add_count(CLI::App& app, const char* help, std::optional<std::uint64_t>& into) {
  parsed_option(
      app, "--count", help, [](const std::string& text) { return parse_number(text); },
      [&into](std::uint64_t count) { into = count; });
}

}  // namespace holdfast::cli
