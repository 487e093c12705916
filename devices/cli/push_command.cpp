#include "devices/cli/commands.hpp"
#include "devices/cli/line_sender.hpp"
#include "devices/cli/plain_commands.hpp"
#include "holdfast/pipeline.hpp"

namespace holdfast::cli {

int run(const push_args& args) {
  if (args.plain) return push_plain(args);
  producer_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  options.queue = args.queue;
  auto to = producer::open(options);
  if (!to) return fail(to.take_status());
  return line_sender(args, std::move(*to)).run();
}

}  // namespace holdfast::cli
