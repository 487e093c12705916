#include "devices/loop/socket_output.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

/// What may hide in libzmq between the device and a peer with a socket of its own, in messages; the
/// in-doubt bound must cover it. Fewer cost a wake-up for every few messages. An XPUB tells nobody
/// when it has room again.
constexpr std::uint32_t push_hwm_max = 512;
constexpr std::uint32_t dealer_hwm_max = 64;
constexpr std::uint32_t xpub_hwm_max = 1000;

std::uint32_t own_hwm(const output_terms& terms) {
  const plain_output& o = terms.options;
  if (terms.kind == socket_kind::dealer) return std::min(o.send_hwm_messages, dealer_hwm_max);
  const bool push = terms.kind == socket_kind::push;
  const std::uint32_t doubt = o.in_doubt_messages / (push ? 8 : 4);
  return std::min({o.send_hwm_messages, push ? push_hwm_max : xpub_hwm_max, std::max(doubt, 1u)});
}

}  // namespace

result<std::unique_ptr<output_port>> socket_output::open(const context& in, const endpoint& where,
                                                         output_terms terms, std::uint64_t number,
                                                         gate* doors, peer_id& next_peer) {
  auto made = std::make_unique<socket_output>(in, where, std::move(terms), doors, next_peer);
  if (status outcome = made->bind_or_connect(number); !outcome) return outcome;
  return std::unique_ptr<output_port>(std::move(made));
}

socket_output::socket_output(const context& in, const endpoint& where, output_terms terms,
                             gate* doors, peer_id& next_peer)
    : output_port(std::move(terms), next_peer), context_(&in), where_(where), doors_(doors) {}

result<socket> socket_output::open_socket(bool own_process_only) const {
  socket_options o;
  o.send_hwm =
      static_cast<int>(terms_.apart() ? own_hwm(terms_) : terms_.options.send_hwm_messages);
  o.own_process_only = own_process_only;
  o.no_drop = terms_.options.peers != plain_tracking::lossy;
  return socket::open(*context_, terms_.kind, o);
}

status socket_output::bind_or_connect(std::uint64_t number) {
  if (doors_) {
    auto listening = doors_->listen(where_.address, number);
    if (!listening) return listening.take_status();
    actual_ = std::move(*listening);
    return {};
  }
  auto opened = open_socket(false);
  if (!opened) return opened.take_status();
  common_ = std::move(*opened);
  if (terms_.apart()) {
    auto watching = monitor::watch(*context_, common_);
    if (!watching) return watching.take_status();
    monitor_ = std::move(*watching);
  }
  if (status outcome = common_.attach(where_); !outcome) return outcome;
  actual_ = where_.binds() ? common_.last_endpoint() : where_.address;
  return {};
}

void socket_output::start(engine& to, stream_id stream, instant at) {
  terms_.stream = stream;
  now_ns_ = at.now_ns;
  if (terms_.apart()) return;
  join(to, on_common());
}

std::unique_ptr<socket_peer> socket_output::on_common() {
  return std::make_unique<socket_peer>(terms_, socket(), &common_, nullptr, 0, actual_);
}

void socket_output::join(engine& to, std::unique_ptr<socket_peer> joining) {
  peers_.push_back(std::move(joining));
  // A worker that never finishes its handshake is none.
  if (terms_.kind != socket_kind::dealer) introduce(*peers_.back(), to);
}

void socket_output::lose(std::size_t index, engine& to) {
  socket_peer& peer = *peers_[index];
  // What it said last is in its socket still.
  while (terms_.hears() && peer.hear(to)) {
  }
  retire(peer, to);
  peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(index));
}

void socket_output::on_gate(const gate_event& event, engine& to) {
  if (event.what == gate_event::kind::peer_up) {
    const bool taken = !terms_.options.durable.empty() && !peers_.empty();
    auto opened =
        taken ? result<socket>(status{errc::in_use, "one peer at a time"}) : open_socket(true);
    const endpoint private_place{endpoint_role::bind, endpoint_transport::ipc, event.endpoint};
    if (!opened || !opened->bind(private_place)) return doors_->close(event.peer);
    join(to, std::make_unique<socket_peer>(terms_, std::move(*opened), nullptr, doors_, event.peer,
                                           event.text));
    doors_->ready(event.peer);
    return;
  }
  const auto found = std::find_if(peers_.begin(), peers_.end(),
                                  [&](const auto& p) { return p->behind() == event.peer; });
  if (found == peers_.end()) return;
  if (event.what == gate_event::kind::peer_down)
    lose(static_cast<std::size_t>(found - peers_.begin()), to);
  if (event.what == gate_event::kind::peer_drained) (*found)->drained();
}

void socket_output::on_links(engine& to) {
  links_.clear();
  monitor_.events(links_);
  for (const link_event event : links_) {
    if (!peers_.empty()) lose(0, to);
    if (event == link_event::down) continue;
    join(to, on_common());
  }
}

bool socket_output::send(peer_id to, std::span<const part_out> parts) {
  auto* const peer = static_cast<socket_peer*>(find(to));  // it has no others
  if (peer) peer->send(parts);
  return peer != nullptr;
}

bool socket_output::hear(engine& to) {
  bool more = false;
  if (!terms_.hears()) return more;
  for (const auto& p : peers_)
    if (p->readable()) more = p->hear(to) || more;
  return more;
}

bool socket_output::reap(engine& to) {
  bool found = false;
  for (std::size_t i = peers_.size(); i-- > 0;) {
    if (!peers_[i]->gone()) continue;
    found = true;
    if (const gate_peer behind = peers_[i]->behind(); behind != 0) doors_->close(behind);
    lose(i, to);
  }
  return found;
}

bool socket_output::pump(engine& to, instant at) {
  now_ns_ = at.now_ns;
  bool reported = false;
  for (const auto& p : peers_) reported = pump_peer(*p, to) || reported;
  return reported;
}

bool socket_output::busy() const noexcept {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->busy(); });
}

std::uint64_t socket_output::next_deadline() const noexcept {
  std::uint64_t next = never_ns;
  for (const auto& p : peers_) next = std::min(next, p->next_deadline());
  return next;
}

void socket_output::add_to(poller& p) {
  if (monitor_.channel()) monitor_index_ = p.add(monitor_.channel());
  for (const auto& peer : peers_) peer->add_to(p);
}

void socket_output::take_poll(const poller& p, engine& to) {
  for (const auto& peer : peers_) {
    peer->take_poll(p);
    if (peer->number() == 0 && peer->writable()) introduce(*peer, to);
  }
}

void socket_output::close(int linger_ms) noexcept {
  monitor_ = {};
  common_.set_linger(linger_ms);
  for (const auto& p : peers_) p->close(linger_ms);
  peers_.clear();
  common_.close();
}

}  // namespace holdfast
