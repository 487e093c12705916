// req and rep over raw sockets. A DEALER that adds the empty delimiter is what a REQ socket is, and
// a ROUTER that answers behind the envelope is what a REP socket is.
#include "base/clock.hpp"
#include "devices/cli/answering.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/plain_commands.hpp"
#include "devices/cli/plain_line.hpp"
#include "devices/cli/report.hpp"

namespace holdfast::cli {
namespace {

std::vector<std::string_view> texts(std::span<const bytes_view> parts) {
  std::vector<std::string_view> made;
  for (const bytes_view part : parts)
    made.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
  return made;
}

int ask_plain(plain_line& line, const req_args& args, std::vector<std::string> body) {
  const std::uint64_t limit = args.timeout_ns.value_or(never_ns);
  body.insert(body.begin(), std::string());
  if (const status sent = send_parts(line, args.endpoint, limit, body); !sent) return fail(sent);
  message_reader reader(plain_message_bytes_max, plain_parts_max);
  if (const status came = receive_parts(line, args.endpoint, limit, reader); !came)
    return fail(came);
  auto parts = texts(reader.parts());
  if (parts.size() < 2 || !parts[0].empty())
    return fail({errc::bad_frame, "endpoint '" + args.endpoint + "': the reply has no delimiter"});
  line_writer writer;
  write_line(args.format, std::span(parts).subspan(1), {}, writer.pending());
  const status wrote = writer.flush();
  return wrote ? done : fail(wrote);
}

}  // namespace

int req_plain(const req_args& args) {
  auto line = open_line(args.endpoint, socket_kind::dealer, {});
  if (!line) return fail(line.take_status());
  if (!args.body.empty()) return ask_plain(*line, args, args.body);
  std::string text;
  status read;
  for (std::uint64_t number = 1; read_line(text, read); ++number) {
    auto parts = parse_line(args.format, text);
    if (!parts)
      return fail_usage("line " + std::to_string(number) + ": " + std::string(parts.text()));
    if (const int one = ask_plain(*line, args, std::move(*parts)); one != done) return one;
  }
  return read ? done : fail(read);
}

int rep_plain(const rep_args& args) {
  auto line = open_line(args.endpoint, socket_kind::router, {});
  if (!line) return fail(line.take_status());
  message_reader reader(plain_message_bytes_max, plain_parts_max);
  std::uint64_t taken = 0;
  while (!args.count || taken < *args.count) {
    const status came =
        receive_parts(*line, args.endpoint, args.timeout_ns.value_or(never_ns), reader);
    if (came.kind() == errc::timeout) break;
    if (!came) return fail(came);
    const auto parts = texts(reader.parts());
    const auto delimiter = std::find(parts.begin(), parts.end(), std::string_view());
    if (delimiter == parts.end() || delimiter + 1 == parts.end()) continue;  // not from a REQ
    std::vector<std::string> out(parts.begin(), delimiter + 1);
    const auto made =
        answer(args.format, args.exec, std::vector(delimiter + 1, parts.end()), [] {});
    if (made)
      out.insert(out.end(), made->begin(), made->end());
    else  // a REP socket must answer
      out.push_back(std::string(made.text()));
    if (!made) complain(made.text());
    std::vector<part_out> views;
    views.reserve(out.size());
    for (const std::string& part : out) views.push_back({as_bytes_view(part.data(), part.size())});
    if (line->peer.send(views) == io::failed) return fail(broken_line(args.endpoint));
    ++taken;
  }
  return !args.count || taken == *args.count ? done : failed;
}

}  // namespace holdfast::cli
