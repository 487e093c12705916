#include "devices/loop/wire_output.hpp"

#include <algorithm>
#include <utility>

#include "devices/gate/peer_socket.hpp"
#include "devices/zmtp/parting.hpp"

namespace holdfast {
namespace {

// Nothing but pings may come.
constexpr zmtp::intake_limits heard{};
constexpr int unsent_bytes = 128 * 1024;

}  // namespace

result<std::unique_ptr<output_port>> wire_output::open(const endpoint& where, output_terms terms,
                                                       peer_id& next_peer) {
  auto door = wire_door::open(where);
  if (!door) return door.take_status();
  return std::unique_ptr<output_port>(
      std::make_unique<wire_output>(std::move(terms), std::move(*door), next_peer));
}

wire_output::wire_output(output_terms terms, wire_door door, peer_id& next_peer)
    : output_port(std::move(terms), next_peer), door_(std::move(door)) {
  actual_ = door_.actual();
}

void wire_output::start(engine& to, stream_id stream, instant at) {
  terms_.stream = stream;
  now_ns_ = at.now_ns;
  if (terms_.apart()) return;
  peers_.push_back(std::make_unique<wire_peer>(terms_, actual_, door_));
  introduce(*peers_.back(), to);
}

void wire_output::look_around(engine& to) {
  door_.look(now_ns_);
  for (const wire_door::news& what : door_.seen()) {
    const auto found = links_.find(what.number);
    if (found == links_.end()) continue;
    output_link& link = *found->second;
    if (what.overdue) link.wire.expire();
    if (what.writable) link.unblock(door_);
    if (what.readable) listen_to(link, what.ending);
    if (!link.of && !link.gone && link.wire.ready()) join(link, to);
    if (link.of) link.of->look_at_links();
  }
  for (wire_door::arrival& one : door_.came()) admit(one);
}

void wire_output::admit(wire_door::arrival& one) {
  const int socket = one.connection.get();
  bound_unsent(socket, door_.tcp(), unsent_bytes);
  auto link = std::make_unique<output_link>(
      output_link{{one.number, zmtp::connection(zmtp::pushes, std::move(one.connection),
                                                std::move(one.who), heard)}});
  if (door_.watch(socket, one.number)) links_[one.number] = std::move(link);
}

void wire_output::listen_to(output_link& link, bool ending) {
  link.wire.set_readable(ending);
  link.gone = link.gone || link.wire.advance() == zmtp::seen::failed;
  if (link.gone) return;
  link.wire.rest();
  if (!link.blocked) link.flush(door_);
}

void wire_output::join(output_link& link, engine& to) {
  if (!terms_.apart()) return peers_.front()->attach(link);
  peers_.push_back(std::make_unique<wire_peer>(terms_, link.wire.who(), door_));
  peers_.back()->attach(link);
  introduce(*peers_.back(), to);
}

void wire_output::lose(output_link& link, engine& to) {
  if (!link.wire.failure().empty())
    door_.complain("the connection of " + link.wire.who() + " is cut: " + link.wire.failure(),
                   now_ns_);
  wire_peer* const peer = link.of;
  if (peer && terms_.apart()) {
    retire(*peer, to);
    std::erase_if(peers_, [&](const auto& one) { return one.get() == peer; });
  } else if (peer) {
    peer->detach(link);
  }
  links_.erase(link.number);
  door_.left(now_ns_);
}

bool wire_output::reap(engine& to) {
  std::vector<output_link*> gone;
  for (const auto& [number, link] : links_)
    if (link->gone) gone.push_back(link.get());
  for (output_link* link : gone) lose(*link, to);
  return !gone.empty();
}

bool wire_output::pump(engine& to, instant at) {
  now_ns_ = at.now_ns;
  look_around(to);
  look_after_links();
  bool reported = reap(to);
  for (const auto& peer : peers_) reported = pump_peer(*peer, to) || reported;
  return reported;
}

// In a while: who has vanished; and the memory of a burst that is over.
void wire_output::look_after_links() {
  if (now_ns_ < next_check_ns_) return;
  next_check_ns_ = now_ns_ + wire_link::look_every_ns;
  for (const auto& [number, link] : links_) link->look_after(door_);
}

bool wire_output::busy() const noexcept {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->busy(); });
}

std::uint64_t wire_output::next_deadline() const noexcept {
  std::uint64_t next = door_.next_deadline();
  if (!links_.empty()) next = std::min(next, next_check_ns_);
  for (const auto& p : peers_) next = std::min(next, p->next_deadline());
  return next;
}

std::size_t wire_output::peers() const noexcept {
  return terms_.apart() || peers_.empty() ? peers_.size() : peers_.front()->links();
}

// Shared: what waits counts as handed.
void wire_output::close(int linger_ms) noexcept {
  const std::uint64_t deadline =
      linger_ms < 0 ? never_ns : monotonic_now() + static_cast<std::uint64_t>(linger_ms) * ms_ns;
  door_.close();
  for (const auto& [number, link] : links_) {
    if (!terms_.apart()) zmtp::flush_until(link->wire, deadline);
    zmtp::read_away(link->wire);
  }
  peers_.clear();
  links_.clear();
}

}  // namespace holdfast
