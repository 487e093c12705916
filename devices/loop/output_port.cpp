#include "devices/loop/output_port.hpp"

#include <algorithm>

#include "devices/transcoder.hpp"

namespace holdfast {
namespace {

/// What may hide in libzmq between the device and a peer with a socket of its own, in messages; the
/// in-doubt bound must cover it. Fewer cost a wake-up for every few messages. A PUSH is bounded by
/// bytes as well (output_peer); an XPUB tells nobody when it has room again.
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

bool output_port::needs_gate(const plain_output& options) {
  const auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  output_terms terms;
  terms.options = options;
  return where.ok() && where->binds() && terms.apart();
}

result<std::unique_ptr<output_port>> output_port::open(
    const context& in, const plain_output& options, socket_kind kind, std::uint32_t channel,
    std::uint64_t max_message, std::uint64_t number, gate* through, peer_id& next_peer) {
  auto where = parse_endpoint(options.endpoint, endpoint_role::bind);
  if (!where) return where.take_status();
  if (needs_gate(options) && where->transport == endpoint_transport::inproc)
    return {errc::invalid, "endpoint '" + options.endpoint +
                               "': a bound inproc endpoint cannot tell its peers apart; write "
                               "peers: shared, or use ipc://"};
  auto made = std::make_unique<output_port>();
  made->context_ = &in;
  made->where_ = std::move(*where);
  made->next_peer_ = &next_peer;
  output_terms& terms = made->terms_;
  terms.options = options;
  terms.kind = kind;
  terms.channel = channel;
  terms.max_message = max_message;
  if (needs_gate(options)) terms.doors = through;
  if (!options.transcode_to.empty()) {
    auto by = transcoder::open(options.transcode_from, options.transcode_to);
    if (!by) return {by.kind(), "endpoint '" + options.endpoint + "': " + std::string(by.text())};
    terms.transform = std::move(*by);
  }
  if (status outcome = made->bind_or_connect(number); !outcome) return outcome;
  return made;
}

result<socket> output_port::open_socket(bool own_process_only) const {
  socket_options o;
  o.send_hwm =
      static_cast<int>(terms_.apart() ? own_hwm(terms_) : terms_.options.send_hwm_messages);
  o.own_process_only = own_process_only;
  o.no_drop = terms_.options.peers != plain_tracking::lossy;
  return socket::open(*context_, terms_.kind, o);
}

status output_port::bind_or_connect(std::uint64_t number) {
  if (terms_.doors) {
    auto listening = terms_.doors->listen(where_.address, number);
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

void output_port::start(engine& to, stream_id stream, instant at) {
  terms_.stream = stream;
  now_ns_ = at.now_ns;
  if (terms_.apart()) return;
  join(to, std::make_unique<output_peer>(terms_, socket(), &common_, 0, actual_));
}

void output_port::join(engine& to, std::unique_ptr<output_peer> joining) {
  peers_.push_back(std::move(joining));
  // A worker that never finishes its handshake is none.
  if (terms_.kind != socket_kind::dealer) introduce(*peers_.back(), to);
}

void output_port::introduce(output_peer& peer, engine& to) {
  by_number_.erase(peer.number());
  peer.introduce(to, (*next_peer_)++, now_ns_);
  by_number_[peer.number()] = &peer;
}

void output_port::lose(std::size_t index, engine& to) {
  output_peer& peer = *peers_[index];
  // What it said last is in its socket still.
  while (terms_.hears() && peer.hear(to)) {
  }
  by_number_.erase(peer.number());
  peer.lose(to);
  peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(index));
}

void output_port::on_gate(const gate_event& event, engine& to) {
  if (event.what == gate_event::kind::peer_up) {
    const bool taken = !terms_.options.durable.empty() && !peers_.empty();
    auto opened =
        taken ? result<socket>(status{errc::in_use, "one peer at a time"}) : open_socket(true);
    const endpoint private_place{endpoint_role::bind, endpoint_transport::ipc, event.endpoint};
    if (!opened || !opened->bind(private_place)) return terms_.doors->close(event.peer);
    join(to, std::make_unique<output_peer>(terms_, std::move(*opened), nullptr, event.peer,
                                           event.text));
    terms_.doors->ready(event.peer);
    return;
  }
  const auto found = std::find_if(peers_.begin(), peers_.end(),
                                  [&](const auto& p) { return p->behind() == event.peer; });
  if (found == peers_.end()) return;
  if (event.what == gate_event::kind::peer_down)
    lose(static_cast<std::size_t>(found - peers_.begin()), to);
  if (event.what == gate_event::kind::peer_drained) (*found)->drained();
}

void output_port::on_links(engine& to) {
  links_.clear();
  monitor_.events(links_);
  for (const link_event event : links_) {
    if (!peers_.empty()) lose(0, to);
    if (event == link_event::down) continue;
    join(to, std::make_unique<output_peer>(terms_, socket(), &common_, 0, actual_));
  }
}

bool output_port::deliver(peer_id to, const plain_delivery& what) {
  const auto found = by_number_.find(to);
  if (found == by_number_.end()) return false;
  found->second->push(what);
  return true;
}

bool output_port::send(peer_id to, std::span<const part_out> parts) {
  const auto found = by_number_.find(to);
  if (found == by_number_.end()) return false;
  found->second->send(parts);
  return true;
}

bool output_port::hear(engine& to) {
  bool more = false;
  if (!terms_.hears()) return more;
  for (const auto& p : peers_)
    if (p->readable()) more = p->hear(to) || more;
  return more;
}

bool output_port::reap(engine& to) {
  bool found = false;
  for (std::size_t i = peers_.size(); i-- > 0;) {
    if (!peers_[i]->gone()) continue;
    found = true;
    if (const gate_peer behind = peers_[i]->behind(); behind != 0) terms_.doors->close(behind);
    lose(i, to);
  }
  return found;
}

bool output_port::pump(engine& to, instant at) {
  now_ns_ = at.now_ns;
  bool reported = false;
  for (const auto& p : peers_) {
    reported = p->pump(to, now_ns_) || reported;
    if (p->stuck(now_ns_)) recall(*p, to);
  }
  return reported;
}

/// The local queue goes back to the pattern: other outputs may have peers that take it.
void output_port::recall(output_peer& from, engine& to) {
  from.lose(to);
  introduce(from, to);
}

bool output_port::busy() const noexcept {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->busy(); });
}

std::uint64_t output_port::next_deadline() const noexcept {
  std::uint64_t next = never_ns;
  for (const auto& p : peers_) next = std::min(next, p->next_deadline());
  return next;
}

void output_port::add_to(poller& p) {
  if (monitor_.channel()) monitor_index_ = p.add(monitor_.channel());
  for (const auto& peer : peers_) peer->add_to(p);
}

void output_port::take_poll(const poller& p, engine& to) {
  for (const auto& peer : peers_) {
    peer->take_poll(p);
    if (peer->number() == 0 && peer->writable()) introduce(*peer, to);
  }
}

void output_port::close(int linger_ms) noexcept {
  monitor_ = {};
  common_.set_linger(linger_ms);
  for (const auto& p : peers_) p->close(linger_ms);
  by_number_.clear();
  peers_.clear();
  common_.close();
}

}  // namespace holdfast
