// What libzmq does by itself: no broker, or zmq_proxy as one.
#include <zmq.hpp>

#include "bench/contestants/contestant.hpp"
#include "bench/contestants/plain_ends.hpp"

namespace holdfast::bench {
namespace {

using type = zmq::socket_type;
const std::string waits = "high-water marks 1000 messages or 64 MiB, one I/O thread a process";

struct side {
  type kind;
  std::string endpoint;
};

zmq::socket_t bound(zmq::context_t& context, const side& at, std::size_t bytes) {
  zmq::socket_t made(context, at.kind);
  made.set(zmq::sockopt::sndhwm, high_water_of(bytes));
  made.set(zmq::sockopt::rcvhwm, high_water_of(bytes));
  if (at.kind == type::xpub) made.set(zmq::sockopt::xpub_nodrop, 1);
  made.bind(at.endpoint);
  return made;
}

child start_proxy(const side& in, const side& out, std::size_t bytes) {
  return child([=] {
    zmq::context_t context(1);
    zmq::socket_t from = bound(context, in, bytes), to = bound(context, out, bytes);
    zmq::proxy(from, to);
  });
}

std::string endpoint_on(const std::string& transport, const std::string& directory,
                        const std::string& name) {
  return transport == "ipc" ? "ipc://" + directory + "/" + name : free_endpoint();
}

}  // namespace

contestant direct_line() {
  return {"raw PUSH->PULL", "none", "no broker; " + waits, [](const work& asked) {
            const plain_end to{free_endpoint(), asked.bytes};
            const plain_end from{to.endpoint, asked.bytes, true};
            setup made;
            made.make_sender = [to] { return push_to(to); };
            made.make_receiver = [from] { return pull_from(from); };
            return made;
          }};
}

contestant proxy_line(const std::string& transport) {
  return {"zmq_proxy " + transport, "none", "PULL and PUSH; " + waits,
          [transport](const work& asked) {
            setup made;
            made.scratch = std::make_unique<scratch_directory>();
            const plain_end in{endpoint_on(transport, made.scratch->path(), "in"), asked.bytes};
            const plain_end out{endpoint_on(transport, made.scratch->path(), "out"), asked.bytes};
            made.broker.emplace(
                start_proxy({type::pull, in.endpoint}, {type::push, out.endpoint}, asked.bytes));
            made.make_sender = [in] { return push_to(in); };
            made.make_receiver = [out] { return pull_from(out); };
            return made;
          }};
}

contestant fan_out_proxy_line() {
  return {std::string(proxy_path), "none",
          "XSUB and XPUB that drop nothing (XPUB_NODROP); " + waits, [](const work& asked) {
            plain_end in{free_endpoint(), asked.bytes};
            const plain_end out{free_endpoint(), asked.bytes};
            in.topics = asked.topics;
            setup made;
            made.broker.emplace(
                start_proxy({type::xsub, in.endpoint}, {type::xpub, out.endpoint}, asked.bytes));
            made.make_sender = [in] { return publish_to(in); };
            made.make_receiver = [out] { return subscribe_to(out); };
            return made;
          }};
}

contestant request_proxy_line(unsigned in_flight) {
  return {std::string(proxy_path), "none", "ROUTER and DEALER; DEALER asks, REP answers; " + waits,
          [in_flight](const work& asked) {
            const plain_end in{free_endpoint(), asked.bytes}, out{free_endpoint(), asked.bytes};
            setup made;
            made.broker.emplace(start_proxy({type::router, in.endpoint},
                                            {type::dealer, out.endpoint}, asked.bytes));
            made.make_sender = [in, in_flight] { return ask_at(in, in_flight); };
            made.make_receiver = [out] { return answer_at(out); };
            return made;
          }};
}

}  // namespace holdfast::bench
