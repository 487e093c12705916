// The verbs under `holdfast journal` that read a journal out: export, follow.
#include "base/clock.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/words.hpp"
#include "devices/export/time_text.hpp"
#include "journal/follower.hpp"

namespace holdfast::cli {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// A sequence, a time, or how long ago.
result<export_bound> parse_bound(const std::string& text) {
  if (is_number(text)) {
    const auto number = parse_number(text);
    if (!number) return status{number.kind(), std::string(number.text())};
    return export_bound{false, *number};
  }
  if (text.starts_with('-')) {
    const auto ago = parse_duration(std::string_view(text).substr(1));
    if (!ago) return status{ago.kind(), std::string(ago.text())};
    const std::uint64_t now = system_now().real_ns;
    return export_bound{true, now - std::min(now, *ago)};
  }
  const auto when = parse_time_text(text);
  if (!when)
    return status{errc::invalid, "'" + text +
                                     "': say a sequence, a time such as "
                                     "2026-03-01T12:30:00Z, or how long ago, such as -10m"};
  return export_bound{true, *when};
}

result<export_args::format> parse_format(const std::string& text) {
  if (text == "jsonl") return export_args::format::jsonl;
  if (text == "mcap") return export_args::format::mcap;
  return status{errc::invalid, "'" + text + "' is neither jsonl nor mcap"};
}

result<std::uint64_t> parse_start(const std::string& text) {
  if (text == "first") return journal_follower::from_first;
  if (text == "next") return journal_follower::from_next;
  if (is_number(text)) return parse_number(text);
  return status{errc::invalid, "'" + text + "': say first, next, or a position"};
}

void add_choice(CLI::App& app, message_choice& into) {
  app.add_option("--channel", into.channel, "Only this channel");
  // One a word: else it would take DIR as well.
  app.add_option("--address", into.addresses, "Only this queue, topic or service; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--topic", into.topics, "Only addresses that begin so; may be repeated")
      ->allow_extra_args(false);
  parsed_option(app, "--from", "From this sequence, time (2026-03-01T12:30:00Z) or -DURATION on",
                parse_bound, [&into](export_bound at) { into.from = at; });
  parsed_option(app, "--to", "Up to there; it itself not", parse_bound,
                [&into](export_bound at) { into.to = at; });
}

// MCAP where nothing else was said and the file is named so.
taken take_export(export_args& args) {
  const bool named_so = args.output.ends_with(".mcap");
  if (!args.form_given && named_so) args.form = export_args::format::mcap;
  if (args.form == export_args::format::jsonl && !(args.encoding + args.schema).empty())
    return fail_usage("--encoding and --schema describe an MCAP file; add --format mcap");
  return command(args);
}

void add_export(verbs& to, CLI::App& journal) {
  auto [app, args] =
      to.add_under<export_args>(journal, "export", "Messages as JSON Lines or MCAP", take_export);
  export_args& into = args;
  app.add_option("DIR", into.directory, "Data directory of the device")->required();
  parsed_option(app, "--format", "jsonl, or mcap (default where FILE ends so)", parse_format,
                [&into](export_args::format form) {
                  into.form = form;
                  into.form_given = true;
                });
  app.add_option("--output,-o", into.output, "A new file; standard output without it");
  add_choice(app, into.choice);
  add_decode(app, into.decode);
  app.add_option("--encoding", into.encoding,
                 "mcap: what messages of one part are: json, msgpack, cdr, protobuf, ...");
  auto* schema = app.add_option("--schema", into.schema, "mcap: a file with their schema");
  auto* name = app.add_option("--schema-name", into.schema_name, "mcap: the schema's name");
  auto* kind = app.add_option("--schema-encoding", into.schema_encoding,
                              "mcap: jsonschema, ros2msg, protobuf, ...");
  schema->needs(name)->needs(kind);
  name->needs(schema);
  kind->needs(schema);
}

void add_follow(verbs& to, CLI::App& journal) {
  auto [app, args] =
      to.add_under<follow_args>(journal, "follow", "Every record, and those to come",
                                [](follow_args& given) { return taken(command(given)); });
  follow_args& into = args;
  app.add_option("DIR", into.directory, "Data directory of the device")->required();
  app.add_flag("--json", into.json, "Print JSON");
  add_decode(app, into.decode);
  parsed_option(app, "--from", "first, next (default), or a position", parse_start,
                [&into](std::uint64_t position) { into.from = position; });
  add_count(app, "End after so many records", into.count);
  add_timeout(app, "Longest wait for the next record; none without it", into.timeout_ns);
}

}  // namespace

void add_journal_words(verbs& to, CLI::App& journal) {
  add_export(to, journal);
  add_follow(to, journal);
}

}  // namespace holdfast::cli
