#include "base/clock.hpp"
#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/line_taker.hpp"
#include "devices/cli/plain_commands.hpp"
#include "devices/config/units.hpp"
#include "devices/export/time_text.hpp"

namespace holdfast::cli {
namespace {

result<start_point> parse_from(const std::string& text) {
  const auto at_ns = [](std::uint64_t ns) {
    return start_point::time(start_point::time_point(std::chrono::nanoseconds(ns)));
  };
  if (text.empty() || text == "next") return start_point::next();
  if (text == "first") return start_point::first();
  if (text == "last") return start_point::last();
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    const auto number = parse_number(text);
    if (!number) return status{number.kind(), std::string(number.text())};
    return start_point::sequence(*number);
  }
  if (text[0] == '-') {
    const auto ago = parse_duration(std::string_view(text).substr(1));
    if (!ago) return status{ago.kind(), std::string(ago.text())};
    const std::uint64_t now = system_now().real_ns;
    return at_ns(now - std::min(now, *ago));
  }
  const auto when = parse_time_text(text);
  if (!when)
    return status{errc::invalid,
                  "--from '" + text +
                      "': say first, last, next, a sequence, a time such as 2026-03-01T12:30:00Z, "
                      "or how long ago, such as -10m"};
  return at_ns(*when);
}

}  // namespace

int run(const sub_args& given) {
  sub_args args = given;
  decode_option decode;
  if (const status opened = decode.open(args.decode, args.format); !opened) return fail(opened);
  auto start = parse_from(args.from);
  if (!start) return fail(start.take_status());
  if (args.plain) {
    if (!args.durable.empty() || !args.from.empty())
      return fail_usage("--durable and --from need the reliable protocol, not --plain");
    return sub_plain(args);
  }
  subscriber_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  options.prefixes = args.topics;
  options.durable = args.durable;
  options.start = *start;
  const stop_signals signals;
  auto from = subscriber::open(options);
  if (!from) return fail(from.take_status());
  return line_taker(args, signals, std::move(*from), "").run();
}

}  // namespace holdfast::cli
