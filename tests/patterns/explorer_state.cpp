// How a state is described: by numbers for what is equal to what, never by drawn or counted names.
#include <algorithm>

#include "base/check.hpp"
#include "base/checksum.hpp"
#include "tests/patterns/explorer_world.hpp"

namespace holdfast {

/// Numbers, summed.
class explorer_world::digest {
 public:
  void put(std::uint64_t n) { at_.at(size_++) = n; }
  std::uint64_t sum() const {
    return checksum(
        as_bytes_view(reinterpret_cast<const char*>(at_.data()), size_ * sizeof at_[0]));
  }

 private:
  std::array<std::uint64_t, 512> at_;
  std::size_t size_ = 0;
};

/// The producers in the order they are described in, and their connections that matter: each
/// producer's own, then those it gave up in the order of their making.
struct explorer_world::names_now {
  std::array<std::size_t, 2> producers{};
  std::array<const connection*, 64> connections{};
  std::size_t size = 0;

  /// From 1; 0: none of those.
  std::size_t of(peer_id peer) const {
    for (std::size_t i = 0; i < size; ++i)
      if (connections[i]->peer == peer) return i + 1;
    return 0;
  }
};

void explorer_world::name_all(names_now& n, std::size_t first) const {
  n.producers = {first, 1 - first};
  for (const std::size_t p : n.producers) {
    if (const connection* c = current(p)) n.connections.at(n.size++) = c;
    for (const connection& c : connections_)
      if (!c.open && c.producer == p) n.connections.at(n.size++) = &c;
  }
}

void explorer_world::put_connections(digest& to, const names_now& n) const {
  to.put(n.size);
  for (std::size_t i = 0; i < n.size; ++i) {
    const connection& c = *n.connections[i];
    to.put((c.producer == n.producers[1]) | c.open << 1 | c.cut << 2 | c.shaken << 3 |
           c.to_device.size() << 8);
    for (const wire_frame& f : c.to_device) {
      to.put(static_cast<std::uint64_t>(f.type) << 1 | matters(f, c));
      to.put(f.content);
    }
  }
}

void explorer_world::put_producers(digest& to, const names_now& n) const {
  auto& channel = const_cast<device_world&>(device_).channel();
  for (const std::size_t index : n.producers) {
    const producer& p = producers_[index];
    to.put(static_cast<std::uint64_t>(p.client->state()));
    if (scope_.reduced && p.client->final()) continue;
    to.put(p.client->current().epoch);
    to.put(p.numbers.empty() ? 0 : p.numbers.front());
    to.put(p.numbers.size());
    to.put(p.box->next_number());
    to.put(p.box->accepted_through());
    const session* s = channel.session_room().find(p.client->current().session);
    to.put(s ? n.of(s->peer) + 1 : 0);
  }
}

void explorer_world::put_device(digest& to, const names_now& n) const {
  auto& channel = const_cast<device_world&>(device_).channel();
  const auto id_now = [&](std::uint32_t number) {
    return scope_.same_id ? 0u : id_of_number_.at(number) != n.producers[0];
  };
  std::array<std::uint64_t, 64> open{};  // in an order of its own
  std::size_t size = 0;
  channel.session_room().for_each([&](const session& s) {
    const std::uint64_t place = n.of(s.peer);
    if (place || !scope_.reduced)
      open.at(size++) = place | id_now(s.producer) << 8 | std::uint64_t{s.epoch} << 16;
  });
  std::sort(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(size));
  to.put(size);
  for (std::size_t i = 0; i < size; ++i) to.put(open[i]);
  std::array<std::array<std::uint64_t, 4>, 2> positions{};
  channel.intake_room().for_each_position([&](std::uint32_t who, std::uint32_t number,
                                              std::uint64_t next, std::uint64_t told, bool gap) {
    const session* s = channel.session_room().find(number);
    const std::uint64_t place = s ? n.of(s->peer) : 0;
    positions[id_now(who)] = {next, place, told, gap};
    if (place == 0 && scope_.reduced) positions[id_now(who)] = {next, 0, 0, 0};
  });
  for (const auto& p : positions)
    for (const std::uint64_t number : p) to.put(number);
  channel.waiting().for_each_held([&](const frame_out& f) {
    const std::size_t place = n.of(f.to);
    const bool heard = place && n.connections[place - 1]->open && !n.connections[place - 1]->cut;
    if (!heard && scope_.reduced) return;
    const auto* longer = std::get_if<buffer_ref>(&f.body);
    const bytes_view head = longer ? longer->bytes() : f.head.bytes();
    const frame_type type = decode_prefix(head)->type;
    to.put(place << 8 | static_cast<std::uint64_t>(type));
    if (type == frame_type::welcome)
      to.put(decode_welcome(head).value().epoch);
    else
      to.put(checksum(head.subspan(frame_prefix_bytes)));
  });
}

void explorer_world::put_log(digest& to, const names_now& n) const {
  const auto& log = device_.log();
  const std::size_t durable = log.records().size() - log.unsynced();
  const auto put = [&](const note& one) {
    to.put(one.definition | (one.owner == n.producers[1]) << 1 | one.id << 2 | one.block << 8 |
           (one.record >= durable) << 16 | one.number << 32);
  };
  for (std::size_t id = 0; id < 2; ++id) {
    const std::uint8_t real = static_cast<std::uint8_t>(scope_.same_id ? id : n.producers[id]);
    const note* defined = nullptr;
    to.put(~std::uint64_t{0});
    for (const note& one : notes_) {
      if (one.id != real) continue;
      note as = one;
      as.id = static_cast<std::uint8_t>(id);
      if (one.definition && one.record < durable && scope_.reduced)
        defined = &one;
      else
        put(as);
    }
    if (defined) to.put(defined->number << 1 | (defined->owner == n.producers[1]));
  }
  // How records of both lie between each other matters for what a crash leaves.
  if (scope_.same_id) return;
  to.put(scope_.crashes > 0);
  for (const note& one : notes_)
    if (!scope_.reduced || (scope_.crashes > 0 && one.record >= durable))
      to.put(one.id == n.producers[1]);
}

std::uint64_t explorer_world::described(std::size_t first) const {
  names_now n;
  name_all(n, first);
  digest all;
  put_connections(all, n);
  put_producers(all, n);
  put_device(all, n);
  put_log(all, n);
  return all.sum();
}

// Three values of each of three, two of losses: 54.
unsigned explorer_world::budget() const {
  check(scope_.cuts < 3 && scope_.crashes < 3 && scope_.repeats < 3 && scope_.losses < 2,
        "a budget of the explorer is small");
  return static_cast<unsigned>(scope_.cuts +
                               3 * (scope_.crashes + 3 * (scope_.repeats + 3 * scope_.losses)));
}

std::uint64_t explorer_world::budgets_covered() const {
  if (!scope_.reduced) return std::uint64_t{1} << budget();
  std::uint64_t made = 0;
  for (int cuts = 0; cuts <= scope_.cuts; ++cuts)
    for (int crashes = 0; crashes <= scope_.crashes; ++crashes)
      for (int repeats = 0; repeats <= scope_.repeats; ++repeats)
        for (int losses = 0; losses <= scope_.losses; ++losses)
          made |= std::uint64_t{1} << (cuts + 3 * (crashes + 3 * (repeats + 3 * losses)));
  return made;
}

std::uint64_t explorer_world::fingerprint() const {
  return scope_.reduced ? std::min(described(0), described(1)) : described(0);
}

std::uint64_t explorer_world::observed(std::size_t first) const {
  digest all;
  const auto& log = device_.log();
  const std::size_t durable = log.records().size() - log.unsynced();
  for (std::size_t id = 0; id < 2; ++id)
    for (const note& n : notes_)
      if (!n.definition && n.id == (scope_.same_id || first == 0 ? id : 1 - id))
        all.put((n.owner != first) | id << 1 | n.block << 8 | (n.record >= durable) << 16 |
                n.number << 32);
  for (const std::size_t index : {first, 1 - first}) {
    const producer& p = producers_[index];
    all.put(~std::uint64_t{p.client->final()});
    if (p.client->final()) continue;
    all.put(p.numbers.size());
    all.put(p.box->accepted_through());
    for (const std::uint64_t number : p.numbers) all.put(number);
  }
  return all.sum();
}

std::uint64_t explorer_world::observation() const {
  return std::min(observed(0), observed(1));
}

}  // namespace holdfast
