// holdfast journal backup and restore.
#include "devices/cli/commands.hpp"
#include "devices/cli/keeping_print.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {
namespace {

int tell(const backup_outcome& made, const journal_args& args, const char* next) {
  line_writer writer;
  print_copy(made, args.target, args.json, writer.pending());
  if (!args.json) writer.pending() += next;
  for (const std::string& remark : made.remarks) complain(remark);
  const status wrote = writer.flush();
  if (!wrote) return fail(wrote);
  return made.note.totals.damaged.empty() && made.remarks.empty() ? done : corruption;
}

}  // namespace

int run_backup(const journal_args& args) {
  auto made = backup_journal(args.directory, args.target);
  if (!made) return fail(made.take_status());
  return tell(*made, args, "");
}

int run_restore(const journal_args& args) {
  auto made = restore_journal(args.directory, args.target);
  if (!made) return fail(made.take_status());
  const std::string next =
      "Next: start the device with its data in '" + args.target +
      "'. It goes on in a new epoch from that position: what was accepted later is not there, and "
      "what was acked later comes again. Never run it beside the device it was copied from.\n";
  return tell(*made, args, next.c_str());
}

}  // namespace holdfast::cli
