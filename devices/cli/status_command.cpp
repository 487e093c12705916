#include "base/clock.hpp"
#include "devices/admin/ask.hpp"
#include "devices/cli/commands.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/status_text.hpp"

namespace holdfast::cli {

int run(const status_args& args) {
  constexpr std::uint64_t patience_ns = 5 * second_ns;
  auto process = context::open();
  if (!process) return fail(process.take_status());
  auto answer = ask_status(*process, args.target, patience_ns);
  if (!answer) return fail(answer.take_status());
  line_writer writer;
  if (args.json) {
    writer.pending() = *answer + '\n';
  } else {
    auto text = status_text(*answer);
    if (!text) return fail(text.take_status());
    writer.pending() = *text;
  }
  const status wrote = writer.flush();
  return wrote ? done : fail(wrote);
}

}  // namespace holdfast::cli
