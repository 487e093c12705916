#include "devices/cli/command_line.hpp"

#include <algorithm>
#include <iostream>

#include "devices/cli/report.hpp"
#include "devices/cli/words.hpp"
#include "devices/config/nearest.hpp"

namespace holdfast::cli {
namespace {

constexpr const char* about =
    "Reliable devices between ZeroMQ sockets that already exist.\n"
    "Endpoints: @tcp://*:5555 binds, >tcp://host:5555 connects; without a sign a device binds and "
    "a\n"
    "client connects.";
constexpr const char* exits = "Exit status: 0 done, 1 failed, 2 usage, 3 corruption found.";

// Everything typed, as CLI11 fills it.
class command_words {
 public:
  command_words() : app_(about, "holdfast") {
    app_.set_version_flag("--version", "holdfast " HOLDFAST_VERSION);
    app_.require_subcommand(1);
    app_.footer(exits);
    app_.formatter(std::make_shared<CLI::Formatter>());
    app_.get_formatter()->column_width(34);
    add_run_words(verbs_);
    add_pipeline_words(verbs_);
    add_pubsub_device_words(verbs_);
    add_reqrep_device_words(verbs_);
    add_sidecar_words(verbs_);
    add_peer_words(verbs_);
    add_look_words(verbs_);
  }

  std::variant<command, int> parse(int argc, const char* const* argv) {
    if (argc > 1 && std::string_view(argv[1]) == "bench")
      return command(bench_args{{argv + 2, argv + argc}});
    if (const std::string wrong = unknown_verb(argc, argv); !wrong.empty())
      return fail_usage(wrong);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // help or version
      return app_.exit(asked, std::cout, std::cerr);
    } catch (const CLI::ParseError& error) {
      // What is missing may only be mistyped.
      if (!app_.remaining(true).empty()) return fail_usage(unknown_word());
      return fail_usage(std::string(error.what()) + "; see " + called() + " --help");
    }
    return verbs_.chosen();
  }

 private:
  static std::vector<std::string_view> verbs_of(const CLI::App& of) {
    std::vector<std::string_view> names;
    for (const CLI::App* sub : of.get_subcommands({})) names.push_back(sub->get_name());
    return names;
  }

  // A verb that does not exist, in a sentence. CLI11 would call it an unexpected argument.
  std::string unknown_verb(int argc, const char* const* argv) const {
    const CLI::App* level = &app_;
    for (int i = 1; i < argc && !level->get_subcommands({}).empty(); ++i) {
      const std::string word = argv[i];
      if (word.starts_with('-')) return {};
      const std::vector<std::string_view> known = verbs_of(*level);
      const auto found = std::find(known.begin(), known.end(), word);
      if (found == known.end())
        return called(level) + " has no verb '" + word + "'" + suggestion(word, known);
      level = level->get_subcommand(word);
    }
    return {};
  }

  const CLI::App& deepest() const {
    const CLI::App* level = &app_;
    while (!level->get_subcommands().empty()) level = level->get_subcommands().front();
    return *level;
  }

  std::string called(const CLI::App* level = nullptr) const {
    if (level == nullptr) level = &deepest();
    if (level == &app_) return "holdfast";
    return called(level->get_parent()) + " " + level->get_name();
  }

  std::string unknown_word() const {
    const CLI::App& level = deepest();
    const std::vector<std::string> left = app_.remaining(true);
    const std::string word = left.empty() ? "" : left.front();
    const std::string see = "; see " + called() + " --help";
    if (!word.starts_with('-')) return called() + ": '" + word + "' is one argument too many" + see;
    std::vector<std::string> names;
    for (const CLI::Option* option : level.get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    const std::string typed = word.substr(0, word.find('='));
    const std::vector<std::string_view> known(names.begin(), names.end());
    return called() + " has no option '" + typed + "'" + suggestion(typed, known) + see;
  }

  CLI::App app_;
  verbs verbs_{app_};
};

}  // namespace

std::variant<command, int> parse_command_line(int argc, const char* const* argv) {
  return command_words().parse(argc, argv);
}

}  // namespace holdfast::cli
