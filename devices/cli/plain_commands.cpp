#include "devices/cli/plain_commands.hpp"

#include "base/clock.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/plain_line.hpp"
#include "devices/cli/report.hpp"
#include "patterns/topic_filter.hpp"

namespace holdfast::cli {
namespace {

// Prints the messages that `wanted` says yes to, until enough came or nothing comes any more.
template <class Args, class Wanted>
int print_plain(const Args& args, socket_kind kind, Wanted wanted) {
  auto line = open_line(args.endpoint, kind, {});
  if (!line) return fail(line.take_status());
  message_reader reader(plain_message_bytes_max, plain_parts_max);
  line_writer writer;
  std::vector<std::string_view> parts;
  std::uint64_t taken = 0;
  while (!args.count || taken < *args.count) {
    const io outcome = reader.receive(line->peer);
    if (outcome == io::done && wanted(reader.parts()[0])) {
      parts.clear();
      for (const bytes_view part : reader.parts())
        parts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
      write_line(args.format, parts, {}, writer.pending());
      ++taken;
    } else if (outcome == io::too_large) {
      complain("endpoint '" + args.endpoint + "': a message above 1 GiB was thrown away");
    } else if (outcome != io::would_block && outcome != io::done) {
      return fail(broken_line(args.endpoint));
    }
    if (outcome == io::would_block || writer.full())
      if (const status wrote = writer.flush(); !wrote) return fail(wrote);
    if (outcome != io::would_block) continue;
    const bool came = wait_readable(*line, args.timeout_ns.value_or(never_ns));
    if (args.timeout_ns && !came) break;
  }
  if (const status wrote = writer.flush(); !wrote) return fail(wrote);
  if (!args.count || taken == *args.count) return done;
  complain("no message for the time allowed; " + std::to_string(taken) + " of " +
           std::to_string(*args.count) + " came");
  return failed;
}

// Sends each line, with `topic` as the first part where there is one.
template <class Args>
int send_plain(const Args& args, plain_line& line, const std::optional<std::string>& topic) {
  std::string text;
  status outcome;
  for (std::uint64_t number = 1; read_line(text, outcome); ++number) {
    auto parts = parse_line(args.format, text);
    if (!parts)
      return fail_usage("line " + std::to_string(number) + ": " + std::string(parts.text()));
    if (topic) parts->insert(parts->begin(), *topic);
    const status sent = send_parts(line, args.endpoint, args.timeout_ns.value_or(never_ns), *parts);
    if (!sent) return fail(sent);
  }
  return outcome ? done : fail(outcome);
}

// Closing waits until the system has taken what was sent.
template <class Args>
socket_options lingering(const Args& args) {
  socket_options options;
  options.linger_ms = args.timeout_ns ? static_cast<int>(*args.timeout_ns / ms_ns) : -1;
  return options;
}

}  // namespace

int push_plain(const push_args& args) {
  auto line = open_line(args.endpoint, socket_kind::push, lingering(args));
  if (!line) return fail(line.take_status());
  return send_plain(args, *line, std::nullopt);
}

int pull_plain(const pull_args& args) {
  return print_plain(args, socket_kind::pull, [](bytes_view) { return true; });
}

int pub_plain(const pub_args& args) {
  auto line = open_line(args.endpoint, socket_kind::xpub, lingering(args));
  if (!line) return fail(line.take_status());
  message_reader subscriptions(plain_message_bytes_max, plain_parts_max);
  const std::uint64_t limit = args.timeout_ns.value_or(never_ns);
  if (const status came = receive_parts(*line, args.endpoint, limit, subscriptions); !came) {
    if (came.kind() != errc::timeout) return fail(came);
    return fail({errc::timeout, "endpoint '" + args.endpoint + "': nobody subscribed in time"});
  }
  return send_plain(args, *line, args.topic);
}

int sub_plain(const sub_args& args) {
  std::vector<std::string> prefixes = args.topics;
  if (prefixes.empty()) prefixes.emplace_back();
  const topic_filter filter(std::move(prefixes));
  return print_plain(args, socket_kind::sub,
                     [&filter](bytes_view first) { return filter.matches(first); });
}

}  // namespace holdfast::cli
