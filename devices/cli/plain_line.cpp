#include "devices/cli/plain_line.hpp"

#include <vector>

#include "base/clock.hpp"
#include "devices/cli/report.hpp"
#include "devices/transport/poller.hpp"

namespace holdfast::cli {

result<plain_line> open_line(std::string_view endpoint, socket_kind kind, socket_options options) {
  auto where = parse_endpoint(endpoint, endpoint_role::connect);
  if (!where) return where.take_status();
  auto process = context::open();
  if (!process) return process.take_status();
  options.max_part = static_cast<std::int64_t>(plain_message_bytes_max);
  auto peer = socket::open(*process, kind, options);
  if (!peer) return peer.take_status();
  if (status attached = peer->attach(*where); !attached) return attached;
  return plain_line{std::move(*process), std::move(*peer)};
}

status broken_line(std::string_view endpoint) {
  return {errc::closed, "endpoint '" + std::string(endpoint) + "': the socket failed; try again"};
}

bool wait_readable(plain_line& line, std::uint64_t limit_ns) {
  poller next;
  next.add(line.peer);
  return next.wait(limit_ns) && next.readable(0);
}

status send_parts(plain_line& line, std::string_view endpoint, std::uint64_t limit_ns,
                  std::span<const std::string> parts) {
  std::vector<part_out> out;
  for (const std::string& part : parts) out.push_back({as_bytes_view(part.data(), part.size())});
  for (;;) {
    const io outcome = line.peer.send(out);
    if (outcome == io::done) return {};
    if (outcome != io::would_block) return broken_line(endpoint);
    poller room;
    room.add(line.peer, false, true);
    if (!room.wait(limit_ns) || !room.writable(0))
      return {errc::timeout, "endpoint '" + std::string(endpoint) +
                                 "': nobody took the message in time; is a peer there?"};
  }
}

status receive_parts(plain_line& line, std::string_view endpoint, std::uint64_t limit_ns,
                     message_reader& reader) {
  for (;;) {
    const io outcome = reader.receive(line.peer);
    if (outcome == io::done) return {};
    if (outcome == io::too_large) {
      complain("endpoint '" + std::string(endpoint) + "': a message above 1 GiB was thrown away");
      continue;
    }
    if (outcome != io::would_block) return broken_line(endpoint);
    if (!wait_readable(line, limit_ns) && limit_ns != never_ns)
      return {errc::timeout, "no message came in the time allowed"};
  }
}

}  // namespace holdfast::cli
