#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/line_taker.hpp"
#include "devices/cli/plain_commands.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t credit_max = 16'384;

}  // namespace

int run(const pull_args& given) {
  pull_args args = given;
  decode_option decode;
  if (const status opened = decode.open(args.decode, args.format); !opened) return fail(opened);
  if (args.plain) return pull_plain(args);
  worker_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  options.queue = args.queue;
  if (args.count && *args.count > 0) {  // takes no more than it was asked for, or nearly so
    options.batches = false;
    options.credit_messages = static_cast<std::uint32_t>(std::min(*args.count, credit_max));
  }
  const stop_signals signals;
  auto from = worker::open(options);
  if (!from) return fail(from.take_status());
  return line_taker(args, signals, std::move(*from), args.queue).run();
}

}  // namespace holdfast::cli
