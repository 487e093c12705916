#include "bench/contestants/own_ends.hpp"

#include "bench/contestants/plain_ends.hpp"
#include "bench/contestants/reliable_ends.hpp"
#include "devices/transport/endpoint.hpp"

namespace holdfast::bench {
namespace {

endpoint place_of(const own_line::end& of) {
  auto where = parse_endpoint(of.endpoint, endpoint_role::connect);
  if (!where) give_up(std::string(where.text()));
  if (where->transport == endpoint_transport::inproc)
    give_up("endpoint '" + of.endpoint + "': both ends are processes of their own, which inproc " +
            "does not reach; use tcp:// or ipc://");
  if (where->binds() && !of.plain)
    give_up("endpoint '" + of.endpoint + "': a reliable end connects to a device; write " +
            where->address + ", or say that it is plain");
  return std::move(*where);
}

plain_end plain(const own_line& line, const own_line::end& of, std::size_t bytes) {
  const endpoint where = place_of(of);
  plain_end made{where.address, bytes, where.binds()};
  if (!line.name.empty()) made.topic = line.name;
  return made;
}

reliable_end reliable(const own_line& line, const own_line::end& of) {
  return {place_of(of).address, line.level, line.name, line.in_flight};
}

std::function<std::unique_ptr<sender>()> sender_of(const own_line& line, std::size_t bytes) {
  using kind = own_line::kind;
  if (line.to.plain) {
    const plain_end at = plain(line, line.to, bytes);
    if (line.pattern == kind::pubsub) return [at] { return publish_to(at); };
    if (line.pattern == kind::reqrep) return [at, n = line.in_flight] { return ask_at(at, n); };
    return [at] { return push_to(at); };
  }
  const reliable_end at = reliable(line, line.to);
  if (line.pattern == kind::pubsub) return [at] { return reliable_publish_to(at); };
  if (line.pattern == kind::reqrep) return [at] { return reliable_ask_at(at); };
  return [at] { return produce_to(at); };
}

std::function<std::unique_ptr<receiver>()> receiver_of(const own_line& line, std::size_t bytes) {
  using kind = own_line::kind;
  if (line.from.plain) {
    const plain_end at = plain(line, line.from, bytes);
    if (line.pattern == kind::pubsub) return [at] { return subscribe_to(at); };
    if (line.pattern == kind::reqrep) return [at] { return answer_at(at); };
    return [at] { return pull_from(at); };
  }
  const reliable_end at = reliable(line, line.from);
  if (line.pattern == kind::pubsub) return [at] { return reliable_subscribe_to(at); };
  if (line.pattern == kind::reqrep) return [at] { return reliable_answer_at(at); };
  return [at] { return work_for(at); };
}

}  // namespace

opener opener_of(const own_line& line) {
  return [line](const work& asked) {
    setup made;
    made.make_sender = sender_of(line, asked.bytes);
    made.make_receiver = receiver_of(line, asked.bytes);
    return made;
  };
}

}  // namespace holdfast::bench
