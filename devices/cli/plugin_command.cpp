#include "base/check.hpp"
#include "devices/cli/commands.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/plugin_check.hpp"
#include "devices/cli/report.hpp"
#include "devices/serializers.hpp"
#include "plugins/host/plugin_file.hpp"

namespace holdfast::cli {
namespace {

int list(const plugin_args& args, const plugins::registry& known, line_writer& writer) {
  for (const plugins::registry::listed& one : known.list())
    print_listed(one, args.json, writer.pending());
  return done;
}

// Every serializer of the plugin, or the one that is named.
result<std::vector<plugins::serializer_type>> meant(const std::string& reference,
                                                    plugins::registry& known) {
  auto found = known.find(reference);
  if (!found) return found.take_status();
  const plugins::serializer_type& first = **found;
  if (first.name() == reference || reference != first.origin) return std::vector{first};
  return plugins::load_plugin(reference);
}

int check(const plugin_args& args, plugins::registry& known, line_writer& writer) {
  auto types = meant(args.reference, known);
  if (!types) {
    complain(types.text());
    return failed;
  }
  auto msgpack = open_serializer(known, "msgpack");
  holdfast::check(msgpack.ok(), "msgpack is built in");
  auto json = open_serializer(known, "json");
  holdfast::check(json.ok(), "json is built in");
  plugins::output document;
  const bytes_view text = as_bytes_view(args.document.data(), args.document.size());
  if (status read = text.empty() ? status{} : json->decode({&text, 1}, document); !read)
    return fail_usage("--document: " + std::string(read.text()));
  int outcome = done;
  for (const plugins::serializer_type& type : *types) {
    auto verdict = check_serializer(type, *msgpack, document.bytes());
    if (verdict) {
      print_checked(type, *verdict, args.json, writer.pending());
    } else {
      complain(verdict.text());
      outcome = failed;
    }
  }
  return outcome;
}

}  // namespace

int run(const plugin_args& args) {
  plugins::registry known = make_registry();
  line_writer writer;
  const bool listing = args.what == plugin_args::verb::ls;
  const int outcome = listing ? list(args, known, writer) : check(args, known, writer);
  const status wrote = writer.flush();
  return wrote ? outcome : fail(wrote);
}

}  // namespace holdfast::cli
