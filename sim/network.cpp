#include "sim/network.hpp"

#include <algorithm>

namespace holdfast::sim {

network::network(network_options options, scheduler& time, story& told, std::uint64_t seed)
    : options_(options), time_(time), story_(told), random_(seed) {}

// ---- endpoints ----------------------------------------------------------------------------------

line_id network::open(socket_id to_socket, receiver to, mourner ended) {
  const line_id id = ++next_line_;
  lines_[id].at = to_socket;
  lines_[id].to = std::move(to);
  lines_[id].ended = std::move(ended);
  connect_later(id);
  return id;
}

void network::close(line_id id) {
  const auto found = lines_.find(id);
  if (found == lines_.end() || !found->second.open) return;
  wire& l = found->second;
  l.open = false;
  l.waiting.clear();
  if (l.peer != 0) lose_connection(id, true);
  for (const flight_ref& f : l.down.on_the_way) f->dead = true;
  lines_.erase(id);
}

void network::send(line_id id, multipart frame) {
  const auto found = lines_.find(id);
  if (found == lines_.end()) return;
  if (found->second.peer == 0)
    found->second.waiting.push_back(std::move(frame));
  else
    put_up(id, std::move(frame));
}

std::size_t network::queued(line_id id) const {
  const auto found = lines_.find(id);
  if (found == lines_.end()) return 0;
  return found->second.waiting.size() + found->second.up.on_the_way.size();
}

// ---- the device ---------------------------------------------------------------------------------

void network::device_up(device_port& port) {
  device_ = &port;
  ++run_;
  next_peer_ = 0;
}

void network::device_down() {
  for (auto& [id, l] : lines_)
    if (l.peer != 0) lose_connection(id, false);
  device_ = nullptr;
  ++run_;
  peers_.clear();
}

void network::send_to(peer_id peer, multipart frame, std::uint64_t left_ns) {
  fold(frame);
  const auto found = peers_.find(peer);
  if (found == peers_.end() || (eat && eat(frame))) return;
  wire& l = lines_.at(found->second);
  auto what = std::make_shared<flight>(flight{std::move(frame), left_ns});
  l.down.on_the_way.push_back(what);
  time_.at(arrival(l.down), [this, id = found->second, what] { arrive_down(id, what); });
}

std::size_t network::unread(peer_id peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : lines_.at(found->second).down.on_the_way.size();
}

// ---- faults -------------------------------------------------------------------------------------

void network::cut(line_id id) {
  const auto found = lines_.find(id);
  if (found == lines_.end() || found->second.peer == 0) return;
  story_.tell(time_.now(), "is cut", "line " + std::to_string(id));
  ++cuts_;
  lose_connection(id, true);
}

void network::stall(line_id id, direction which, std::uint64_t for_ns) {
  const auto found = lines_.find(id);
  if (found == lines_.end()) return;
  static constexpr const char* words[] = {"stalls toward the device", "stalls from the device",
                                          "stalls"};
  story_.tell(time_.now(), words[static_cast<std::size_t>(which)], "line " + std::to_string(id), {},
              for_ns);
  const std::uint64_t until = time_.now() + for_ns;
  if (which != direction::from_device) found->second.up.stalled_until = until;
  if (which != direction::to_device) found->second.down.stalled_until = until;
}

std::vector<line_id> network::lines() const {
  std::vector<line_id> all;
  for (const auto& [id, l] : lines_) all.push_back(id);
  return all;
}

// ---- inside -------------------------------------------------------------------------------------

void network::connect_later(line_id id) {
  const std::uint64_t wait = 1 + random_.below(options_.reconnect_ns);
  time_.after(wait, [this, id] { connect(id); });
}

/// A line has no connection any more, or got none.
void network::go_on_later(line_id id) {
  if (!options_.tells || !lines_.at(id).ended) return connect_later(id);
  const std::uint64_t wait = 1 + random_.below(options_.reconnect_ns);
  time_.after(wait, [this, id] { tell_end(id); });
}

void network::tell_end(line_id id) {
  const auto found = lines_.find(id);
  if (found == lines_.end()) return;
  const mourner ended = found->second.ended;  // the line may be closed by whoever hears
  ended();
}

void network::connect(line_id id) {
  const auto found = lines_.find(id);
  if (found == lines_.end() || found->second.peer != 0) return;
  if (!device_) return go_on_later(id);
  wire& l = found->second;
  l.peer = ++next_peer_;
  l.up.last_arrival = l.down.last_arrival = 0;
  peers_[l.peer] = id;
  story_.tell(time_.now(), "connects as peer", "line " + std::to_string(id), {}, l.peer);
  device_->connected(l.peer, l.at);
  std::deque<multipart> waiting = std::move(l.waiting);
  l.waiting.clear();
  for (multipart& frame : waiting) put_up(id, std::move(frame));
}

void network::put_up(line_id id, multipart frame) {
  wire& l = lines_.at(id);
  auto what = std::make_shared<flight>(flight{std::move(frame), time_.now()});
  l.up.on_the_way.push_back(what);
  time_.at(arrival(l.up), [this, id, at = l.at, from = l.peer, run = run_, what] {
    arrive_up(id, at, from, run, what);
  });
}

void network::arrive_up(line_id id, socket_id at, peer_id from, std::uint64_t run,
                        const flight_ref& what) {
  if (what->dead || run != run_) return;
  const auto found = lines_.find(id);
  if (found != lines_.end() && found->second.peer == from) found->second.up.on_the_way.pop_front();
  fold(what->frame);
  device_->received(from, at, std::move(what->frame));
}

void network::arrive_down(line_id id, const flight_ref& what) {
  if (what->dead) return;
  const auto found = lines_.find(id);
  if (found == lines_.end()) return;
  std::erase(found->second.down.on_the_way, what);
  fold(what->frame);
  const receiver to = found->second.to;  // the line may be closed by whoever receives
  to(std::move(what->frame), what->left_ns);
}

void network::lose_connection(line_id id, bool device_alive) {
  wire& l = lines_.at(id);
  const peer_id old = l.peer;
  l.peer = 0;
  peers_.erase(old);
  side up = std::move(l.up);
  l.up = {};
  l.up.stalled_until = up.stalled_until;
  for (const flight_ref& f : up.on_the_way) f->dead = true;
  straggle(id, old, up, device_alive);
  // Toward the endpoint: what it had in its own pipe already still comes.
  const std::size_t kept = l.open ? random_.below(l.down.on_the_way.size() + 1) : 0;
  for (std::size_t i = kept; i < l.down.on_the_way.size(); ++i) l.down.on_the_way[i]->dead = true;
  l.down.on_the_way.resize(kept);
  if (device_alive) {
    const std::uint64_t notice = random_.below(5 * ms_ns) + options_.late_max_ns;
    time_.after(notice, [this, old, at = l.at, run = run_] {
      if (run == run_) device_->disconnected(old, at);
    });
  }
  if (l.open) go_on_later(id);
}

/// Some first part of what was on the way still arrives, under the old name; of the rest some last
/// part may not have left yet, and goes with the next connection.
void network::straggle(line_id id, peer_id from, side& up, bool device_alive) {
  wire& l = lines_.at(id);
  const std::size_t total = up.on_the_way.size();
  const std::size_t arrives = device_alive ? random_.below(total + 1) : 0;
  std::uint64_t when = time_.now();
  for (std::size_t i = 0; i < arrives; ++i) {
    when += 1 + random_.below(1 + options_.late_max_ns / total);
    auto what = std::make_shared<flight>(*up.on_the_way[i]);
    what->dead = false;
    time_.at(when,
             [this, id, at = l.at, from, run = run_, what] { arrive_up(id, at, from, run, what); });
  }
  if (!l.open || !random_.chance(options_.keep_percent)) return l.waiting.clear();
  const bool twice = l.at.kind == line_kind::reliable && random_.chance(options_.duplicate_percent);
  const std::size_t from_here = twice ? random_.below(arrives + 1) : arrives;
  const std::size_t stays = from_here + random_.below(total - from_here + 1);
  for (std::size_t i = stays; i < total; ++i) l.waiting.push_back(up.on_the_way[i]->frame);
}

std::uint64_t network::draw_delay() {
  if (random_.chance(options_.slow_percent)) return random_.below(options_.slow_max_ns);
  return options_.delay_min_ns + random_.below(options_.delay_max_ns - options_.delay_min_ns + 1);
}

std::uint64_t network::arrival(side& s) {
  const std::uint64_t drawn = std::max(time_.now() + draw_delay(), s.stalled_until);
  return s.last_arrival = std::max(s.last_arrival + 1, drawn);
}

void network::fold(const multipart& frame) {
  story_.fold(frame.size());
  for (const buffer_ref& part : frame) story_.fold(part.data(), part.size());
}

}  // namespace holdfast::sim
