#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/journal_print.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {
namespace {

using verb = journal_args::verb;

// Every record in turn: what is printed leaves before the next one is read.
result<verify_summary> check_all(const journal_args& args, journal_reader& reader,
                                 line_writer& writer) {
  if (args.what != verb::cat) return reader.verify();
  line_format format{.json = args.json, .separator = {}};
  decode_option decode;
  if (status opened = decode.open(args.decode, format); !opened) return opened;
  status wrote;
  auto sum = reader.verify(0, [&](const seen_record& seen) {
    print_record(seen, format, writer.pending());
    if (writer.full()) wrote = writer.flush();
    return wrote.ok();
  });
  if (!wrote) return wrote;
  return sum;
}

// Only what was written since the newest checkpoint is read, however long the journal is.
int tell_info(const journal_args& args, journal_reader& reader, line_writer& writer) {
  const checkpoint_info* newest = reader.info().newest_checkpoint();
  auto tail = reader.verify(newest != nullptr ? newest->position : 0);
  if (!tail) return fail(tail.take_status());
  print_info(reader.info(), *tail, args.json, writer.pending());
  return done;
}

// Prints what the verb asks for; the exit status.
int look(const journal_args& args, journal_reader& reader, line_writer& writer) {
  if (args.what == verb::info) return tell_info(args, reader, writer);
  if (args.what == verb::ls) {
    print_segments(reader.info(), args.json, writer.pending());
    return done;
  }
  auto sum = check_all(args, reader, writer);
  if (!sum) return fail(sum.take_status());
  const std::size_t bad = sum->damaged.size() + sum->problems.size();
  if (args.what == verb::verify) print_verdict(reader.info(), *sum, args.json, writer.pending());
  if (args.what == verb::cat && bad != 0)
    complain("journal '" + args.directory + "' is damaged in " + std::to_string(bad) +
             " places; holdfast journal verify names them");
  return bad != 0 ? corruption : done;
}

}  // namespace

int run(const journal_args& args) {
  auto reader = journal_reader::open(args.directory);
  if (!reader) return fail(reader.take_status());
  line_writer writer;
  const int outcome = look(args, **reader, writer);
  const status wrote = writer.flush();
  return wrote ? outcome : fail(wrote);
}

}  // namespace holdfast::cli
