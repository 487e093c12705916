#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/journal_print.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/progress.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {
namespace {

using verb = journal_args::verb;

result<verify_summary> check_sums(journal_reader& reader) {
  constexpr std::uint64_t tell_every_bytes = 1 << 20;
  progress shown("verify", reader.bytes_before(~std::uint64_t{0}));
  std::uint64_t tell_at = 0;
  return reader.verify(0, [&](const seen_record& seen) {
    if (seen.record.position < tell_at) return true;
    tell_at = seen.record.position + tell_every_bytes;
    shown.at(reader.bytes_before(seen.record.position));
    return true;
  });
}

// Every record in turn: what is printed leaves before the next one is read.
result<verify_summary> check_all(const journal_args& args, journal_reader& reader,
                                 line_writer& writer) {
  if (args.what != verb::cat) return check_sums(reader);
  line_format format{.json = args.json, .separator = {}};
  decode_option decode;
  if (status opened = decode.open(args.decode, format); !opened) return opened;
  journal_names names;
  auto rows = reader.checkpoint_rows();
  if (!rows) return rows.take_status();
  names.take_rows(*rows);
  status wrote;
  auto sum = reader.verify(0, [&](const seen_record& seen) {
    names.take(seen.record);
    print_record(seen, names, format, writer.pending());
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
  if (args.what == verb::backup) return run_backup(args);
  if (args.what == verb::restore) return run_restore(args);
  if (args.what == verb::repair) return run_repair(args);
  auto reader = journal_reader::open(args.directory);
  if (!reader) return fail(reader.take_status());
  line_writer writer;
  const int outcome = look(args, **reader, writer);
  const status wrote = writer.flush();
  return wrote ? outcome : fail(wrote);
}

}  // namespace holdfast::cli
