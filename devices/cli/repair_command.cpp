// holdfast journal repair.
#include "base/clock.hpp"
#include "devices/cli/commands.hpp"
#include "devices/cli/keeping_print.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {
namespace {

int exit_of(const repair_plan& left) {
  return left.steps.empty() && left.damaged.empty() && left.unsolved.empty() ? done : corruption;
}

int look_only(const journal_args& args, std::string& out) {
  auto plan = plan_repair(args.directory);
  if (!plan) return fail(plan.take_status());
  print_steps(*plan, false, args.json, out);
  print_lasting(*plan, args.json, out);
  if (args.json) return exit_of(*plan);
  if (!plan->steps.empty())
    out +=
        "Nothing was changed. holdfast journal repair --yes does it, after copying these files "
        "to " +
        args.directory + "/quarantine\n";
  else if (exit_of(*plan) == done)
    out += "nothing to repair\n";
  return exit_of(*plan);
}

int do_it(const journal_args& args, std::string& out) {
  auto made = repair_journal(args.directory, system_now());
  if (!made) return fail(made.take_status());
  const bool changed = !made->quarantine.empty();
  const repair_plan& left = changed ? made->after : made->plan;
  print_steps(made->plan, true, args.json, out);
  print_lasting(left, args.json, out);
  if (args.json) return exit_of(left);
  if (changed)
    out += "The files as they were, and a report, are in " + made->quarantine + "\n";
  else if (exit_of(left) == done)
    out += "nothing to repair\n";
  return exit_of(left);
}

}  // namespace

int run_repair(const journal_args& args) {
  line_writer writer;
  const int outcome = args.yes ? do_it(args, writer.pending()) : look_only(args, writer.pending());
  const status wrote = writer.flush();
  return wrote ? outcome : fail(wrote);
}

}  // namespace holdfast::cli
