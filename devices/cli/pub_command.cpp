#include "devices/cli/commands.hpp"
#include "devices/cli/line_sender.hpp"
#include "devices/cli/plain_commands.hpp"
#include "holdfast/pubsub.hpp"

namespace holdfast::cli {

int run(const pub_args& args) {
  if (args.plain) return pub_plain(args);
  publisher_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  auto to = publisher::open(options);
  if (!to) return fail(to.take_status());
  return line_sender(args, std::move(*to), args.topic).run();
}

}  // namespace holdfast::cli
