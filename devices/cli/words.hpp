// words: what the verbs' words have in common. Each group of verbs stands in a *_words.cpp file
// with one function, which adds its verbs and says what command each of them becomes.
//
// Contract: internal to the command line; with the *_words.cpp files and command_line.cpp the only
// door to CLI11. A verb's arguments live in what its `take` function holds.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "devices/cli/commands.hpp"
#include "devices/config/units.hpp"

namespace holdfast::cli {

/// A command, or the exit status of a verb whose words contradict each other.
using taken = std::variant<command, int>;

class verbs {
 public:
  explicit verbs(CLI::App& app) : app_(app) {}

  /// Adds a verb with arguments of its own. `take` makes the command of them once they are filled.
  template <class Args>
  std::pair<CLI::App&, Args&> add(const char* name, const char* help) {
    return add<Args>(name, help, [](Args& args) { return taken(command(args)); });
  }
  template <class Args, class Take>
  std::pair<CLI::App&, Args&> add(const char* name, const char* help, Take take) {
    return add_under<Args>(app_, name, help, std::move(take));
  }
  /// The same as a verb of another verb.
  template <class Args, class Take>
  std::pair<CLI::App&, Args&> add_under(CLI::App& of, const char* name, const char* help,
                                        Take take) {
    auto args = std::make_shared<Args>();
    CLI::App* app = of.add_subcommand(name, help);
    all_.push_back({app, [args, take = std::move(take)] { return take(*args); }});
    return {*app, *args};
  }
  /// What was typed, after parsing.
  taken chosen() const;

 private:
  struct verb {
    CLI::App* app;
    std::function<taken()> take;
  };
  CLI::App& app_;
  std::vector<verb> all_;
};

// The groups, in the order of the help.
void add_run_words(verbs& to);
void add_pipeline_words(verbs& to);
void add_peer_words(verbs& to);
void add_pubsub_device_words(verbs& to);
void add_reqrep_device_words(verbs& to);
void add_sidecar_words(verbs& to);
void add_look_words(verbs& to);
/// Those of `journal` that have words of their own.
void add_journal_words(verbs& to, CLI::App& journal);

/// Calls `store` with a parsed value, or makes CLI11 say why it cannot be parsed.
template <class Parse, class Store>
CLI::Option* parsed_option(CLI::App& app, const char* name, const char* help, Parse parse,
                           Store store) {
  return app.add_option_function<std::string>(
      name,
      [=](const std::string& text) {
        auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, std::string(value.text()));
        store(std::move(*value));
      },
      help);
}

// Options of several verbs.
void add_log_level(CLI::App& app, std::string& into);
/// Seconds where no unit is written.
void add_timeout(CLI::App& app, const char* help, std::optional<std::uint64_t>& into_ns);
/// --plain, --json, --parts.
void add_form(CLI::App& app, bool& plain, line_format& format);
/// --decode: the name or path of a serializer.
void add_decode(CLI::App& app, std::string& into);
/// --count
void add_count(CLI::App& app, const char* help, std::optional<std::uint64_t>& into);

}  // namespace holdfast::cli
