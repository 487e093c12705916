// The verbs that look and change nothing: status, journal, plugin.
#include "devices/cli/words.hpp"

namespace holdfast::cli {
namespace {

using verb = journal_args::verb;

CLI::App& add_journal_verb(CLI::App& journal, journal_args& args, const char* name,
                           const char* help, verb what) {
  CLI::App* sub = journal.add_subcommand(name, help);
  sub->add_option("DIR", args.directory, "Data directory of the device")->required();
  sub->add_flag("--json", args.json, "Print JSON");
  sub->callback([&args, what] { args.what = what; });
  return *sub;
}

// Those that write: a copy, or with --yes the journal itself.
void add_keeping_verbs(CLI::App& journal, journal_args& args) {
  constexpr const char* target_help = "Directory to make; must not exist or be empty";
  add_journal_verb(journal, args, "backup", "Copy a journal, in use or not, to a position",
                   verb::backup)
      .add_option("TARGET", args.target, target_help)
      ->required();
  CLI::App* restore = journal.add_subcommand("restore", "Check a backup and make a journal of it");
  restore->add_option("SOURCE", args.directory, "Directory of the backup")->required();
  restore->add_option("DIR", args.target, target_help)->required();
  restore->add_flag("--json", args.json, "Print JSON");
  restore->callback([&args] { args.what = verb::restore; });
  add_journal_verb(
      journal, args, "repair",
      "Say what can be put right in a journal at rest; exit status 3 if damage is left",
      verb::repair)
      .add_flag("--yes", args.yes, "Do it, after copying aside what will change");
}

void add_journal(verbs& to) {
  auto [journal, args] = to.add<journal_args>("journal", "Look into a journal, without the device");
  journal.require_subcommand(1);
  add_journal_verb(journal, args, "ls", "The segments", verb::ls);
  add_journal_verb(journal, args, "info", "Identity, epoch, watermark, checkpoint", verb::info);
  add_decode(add_journal_verb(journal, args, "cat", "Every record, a line each", verb::cat),
             args.decode);
  add_journal_verb(journal, args, "verify", "Check every sum; exit status 3 when one fails",
                   verb::verify);
  add_keeping_verbs(journal, args);
  add_journal_words(to, journal);
}

void add_plugin(verbs& to) {
  auto [plugin, args] = to.add<plugin_args>("plugin", "Serializers: built in and of plugins");
  plugin_args& into = args;
  plugin.require_subcommand(1);
  CLI::App* ls = plugin.add_subcommand("ls", "All that can be found; loads nothing");
  ls->add_flag("--json", into.json, "Print JSON");
  CLI::App* check = plugin.add_subcommand("check", "Load a plugin and try it");
  check->add_option("PLUGIN", into.reference, "Path, or name of a serializer")->required();
  check->add_option("--document", into.document, "A document, as JSON, that must come back too");
  check->add_flag("--json", into.json, "Print JSON");
  check->callback([&into] { into.what = plugin_args::verb::check; });
}

}  // namespace

void add_look_words(verbs& to) {
  auto [status, args] =
      to.add<status_args>("status", "Channels, queues, consumers and counts of a device");
  status.add_option("TARGET", args.target, "Data directory, or a reliable or admin endpoint")
      ->required();
  status.add_flag("--json", args.json, "Print JSON");
  auto [doctor, asked] =
      to.add<doctor_args>("doctor", "What is promised at each endpoint of a device, and what not");
  doctor.add_option("TARGET", asked.target, "Data directory, or a reliable or admin endpoint")
      ->required();
  doctor.add_flag("--json", asked.json, "Print JSON");
  add_journal(to);
  add_plugin(to);
}

}  // namespace holdfast::cli
