#include "devices/gate/gate.hpp"

#include "devices/gate/gate_thread.hpp"

namespace holdfast {

gate::gate(std::unique_ptr<gate_thread> thread) noexcept : thread_(std::move(thread)) {}
gate::gate(gate&&) noexcept = default;
gate& gate::operator=(gate&&) noexcept = default;
gate::~gate() = default;

result<gate> gate::open(const gate_options& options) {
  if (options.lane_bytes < 4096 || options.unsent_bytes < 4096 || options.peers_max == 0)
    return {errc::invalid, "gate: lane_bytes and unsent_bytes are at least 4096, peers_max 1"};
  if (options.peer_timeout_ms != 0 && options.peer_timeout_ms < 3000)
    return {errc::invalid, "gate: peer_timeout_ms is 0 or at least 3000"};
  auto started = gate_thread::start(options);
  if (!started) return started.take_status();
  return gate(std::move(started).value());
}

result<std::string> gate::listen(std::string_view endpoint, std::uint64_t cookie) {
  auto opened = listener::open(endpoint, thread_->options().backlog, thread_->options().ipv6);
  if (!opened) return opened.take_status();
  std::string actual = opened->endpoint();
  thread_->post({gate_thread::command::kind::listen, cookie, std::move(*opened)});
  return actual;
}

void gate::unlisten(std::uint64_t cookie) {
  thread_->post({gate_thread::command::kind::unlisten, cookie, {}});
}

int gate::wake_fd() const noexcept {
  return thread_->event_fd();
}

void gate::poll(std::vector<gate_event>& out) {
  std::vector<gate_thread::report> heard;
  thread_->take_events(heard);
  for (gate_thread::report& next : heard) {
    gate_event& event = next.event;
    if (event.what == gate_event::kind::peer_up) links_.emplace(event.peer, std::move(next.link));
    // Closed by the device meanwhile: it does not want to hear of it.
    if (event.what == gate_event::kind::peer_down && links_.erase(event.peer) == 0) continue;
    out.push_back(std::move(event));
  }
}

void gate::ready(gate_peer peer) {
  thread_->post({gate_thread::command::kind::ready, peer, {}});
}

void gate::close(gate_peer peer) {
  if (links_.erase(peer) != 0) thread_->post({gate_thread::command::kind::close, peer, {}});
}

gate_backlog gate::unsent(gate_peer peer) const noexcept {
  const auto found = links_.find(peer);
  return found == links_.end() ? gate_backlog{} : found->second->backlog();
}

void gate::wake_when_drained(gate_peer peer) noexcept {
  if (const auto found = links_.find(peer); found != links_.end()) found->second->watched = true;
}

gate_counts gate::counts() const noexcept {
  return thread_->counts();
}

}  // namespace holdfast
