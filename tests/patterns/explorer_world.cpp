#include "tests/patterns/explorer_world.hpp"

#include <algorithm>

#include "base/checksum.hpp"
#include "patterns/records.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t heartbeat_ms = 3'600'000;  // silence is an action, never a surprise

pipeline_options device_options(const explorer_scope& scope) {
  pipeline_options o;
  o.planted = scope.planted;
  return o;
}

session_client_options client_options(const explorer_scope& scope, std::size_t index) {
  session_client_options c;
  c.producer_id = scope.same_id ? "p" : "p" + std::to_string(index);
  c.heartbeat_ms = heartbeat_ms;
  return c;
}

/// What a message says of who submitted it, and as which of its blocks.
struct signature {
  std::uint8_t owner = 0, block = 0;
};
signature signed_by(bytes_view message) {
  return {static_cast<std::uint8_t>(static_cast<char>(message[0]) - 'A'),
          static_cast<std::uint8_t>(static_cast<char>(message[1]) - '0')};
}

}  // namespace

explorer_world::explorer_world(const explorer_scope& scope)
    : scope_(scope), device_(device_options(scope)) {
  device_.planted_early_marks = scope.planted_early_marks;
  producers_.reserve(2);
  for (std::size_t i = 0; i < 2; ++i) {
    outbox_options o;
    o.named = true;
    producer p;
    p.client = std::make_unique<session_client>(client_options(scope, i), random_source(i + 1));
    p.box = std::make_unique<outbox>(o);
    p.client->add(*p.box);
    p.at.now_ns = second_ns;
    producers_.push_back(std::move(p));
    producers_[i].client->start(producers_[i].at);
    pump(i);
  }
  take_note();
}

std::string explorer_world::text(std::size_t whose, std::size_t block) const {
  return {static_cast<char>('A' + whose), static_cast<char>('0' + block)};
}

explorer_world::connection* explorer_world::current(std::size_t index) {
  for (connection& c : connections_)
    if (c.open && c.producer == index) return &c;
  return nullptr;
}

const explorer_world::connection* explorer_world::current(std::size_t index) const {
  return const_cast<explorer_world*>(this)->current(index);
}

/// Carries out what a producer's end asks for: connections, its blocks as soon as it may, frames.
void explorer_world::pump(std::size_t index) {
  producer& p = producers_[index];
  if (p.client->take_close())
    if (connection* c = current(index)) c->open = false;
  if (p.client->take_open()) {
    connection& c = connections_.emplace_back();
    c.producer = index;
    c.peer = ++last_peer_;
  }
  for (bool more = true; more;) {
    more = false;
    const auto taken = static_cast<int>(p.numbers.size());
    if (taken < scope_.blocks && p.client->state() == session_state::live) {
      const std::string message = text(index, p.numbers.size());
      const bytes_view part = as_bytes_view(message.data(), message.size());
      if (auto number = p.box->submit({&part, 1}, 0)) {
        p.numbers.push_back(*number);
        more = true;
      }
    }
    client_frame f;
    while (p.client->next(f, p.at))
      if (connection* c = current(index)) c->to_device.push_back(describe(f, index));
  }
}

explorer_world::wire_frame explorer_world::describe(const client_frame& f, std::size_t index) {
  const bytes_view head = f.first_part();
  const auto prefix = decode_prefix(head);
  wire_frame made{{head.begin(), head.end()}, f.body, prefix->type, prefix->session, 0};
  if (made.type == frame_type::hello) {
    const hello said = decode_hello(head).value();
    producers_[index].nonce = said.nonce;
    made.content = said.epoch;
  } else if (made.type == frame_type::publish) {
    const publish said = decode_publish(head).value();
    made.content = said.first_number << 32 | std::uint64_t{said.count} << 16;
    entry_walker walker(f.body.bytes());
    for (entry e; walker.next(e);) made.content += signed_by(e.data).block + 1u;
  } else {
    made.content = checksum(head.subspan(frame_prefix_bytes));
  }
  return made;
}

/// The last ones are tried first: those that cost nothing, so that states are seen with the
/// greatest budget first.
explorer_world::action_list explorer_world::actions() const {
  action_list made;
  add_mishaps(made);
  using kind = action::kind;
  const std::size_t unsynced = device_.log().unsynced();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const connection& c = connections_[i];
    if (!c.to_device.empty()) made.add(kind::to_device, i);
    const bool quiet = c.to_device.empty() && unsynced == 0 && !done(c.producer);
    if (c.open && (c.shaken || quiet)) made.add(kind::silence, c.producer);
  }
  for (std::size_t i = 0; i < producers_.size(); ++i)
    if (!current(i) && !producers_[i].client->final()) made.add(kind::silence, i);
  if (unsynced != 0) made.add(kind::durable, 0);
  return made;
}

void explorer_world::add_mishaps(action_list& to) const {
  using kind = action::kind;
  const std::size_t unsynced = device_.log().unsynced();
  for (std::size_t kept = 0; scope_.crashes > 0 && kept <= unsynced; ++kept)
    to.add(kind::crash, kept);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const connection& c = connections_[i];
    if (c.open && !c.shaken && scope_.cuts > 0) to.add(kind::cut, i);
    if (c.to_device.empty()) continue;
    if (scope_.repeats > 0) to.add(kind::repeat, i);
    if (scope_.losses > 0 && c.to_device.front().type == frame_type::publish) to.add(kind::lose, i);
  }
}

void explorer_world::apply(const action& a) {
  using kind = action::kind;
  device_.at.now_ns += 2 * second_ns;  // so that no RESET is held back
  device_.at.real_ns += 2 * second_ns;
  switch (a.what) {
    case kind::to_device: deliver_to_device(connections_[a.which], false); break;
    case kind::repeat:
      --scope_.repeats;
      deliver_to_device(connections_[a.which], true);
      break;
    case kind::lose:
      --scope_.losses;
      connections_[a.which].to_device.pop_front();
      break;
    case kind::durable: device_.make_durable(); break;
    case kind::cut:
      --scope_.cuts;
      connections_[a.which].shaken = connections_[a.which].cut = true;
      if (scope_.reduced) give_up(connections_[a.which].producer);
      break;
    case kind::crash: crash(a.which); break;
    case kind::silence: silence(a.which); break;
  }
  take_note();
  collect();
  settle();
}

void explorer_world::deliver_to_device(connection& c, bool keep) {
  const wire_frame f = c.to_device.front();
  if (!keep) c.to_device.pop_front();
  std::vector<buffer_ref> parts;
  if (f.body) parts.push_back(f.body);
  device_.receive(c.peer, f.head, parts);
}

void explorer_world::crash(std::size_t kept) {
  --scope_.crashes;
  device_.log().sync(kept);  // and it dies before it can say so
  device_.take_sent();
  device_.restart(true);
  noted_ = std::min(noted_, device_.log().records().size());
  std::erase_if(notes_, [&](const note& n) { return n.record >= noted_; });
  for (connection& c : connections_) {
    c.peer = ++last_peer_;
    c.shaken = true;
  }
  if (!scope_.reduced) return;
  for (std::size_t i = 0; i < producers_.size(); ++i) {
    const connection* c = current(i);
    const bool asks = c && std::any_of(c->to_device.begin(), c->to_device.end(),
                                       [](const auto& f) { return f.type == frame_type::hello; });
    if (c && !asks) give_up(i);
  }
}

void explorer_world::silence(std::size_t index) {
  producer& p = producers_[index];
  const connection* c = current(index);
  if (!c || c->shaken) return give_up(index);
  p.at.now_ns = std::max(p.at.now_ns, p.client->next_deadline());  // it asks
  p.client->on_tick(p.at);
  pump(index);
}

/// The producer notices that nothing comes, then opens another connection.
void explorer_world::give_up(std::size_t index) {
  producer& p = producers_[index];
  for (int i = 0; i < 2; ++i) {
    p.at.now_ns = std::max(p.at.now_ns, p.client->next_deadline()) + 4ull * heartbeat_ms * ms_ns;
    p.client->on_tick(p.at);
    pump(index);
    if (const connection* c = current(index); c && !c->shaken) return;
  }
}

/// What the device sent is heard at once, if the producer's end is still there and hears.
void explorer_world::collect() {
  for (const sent_frame& f : device_.take_sent())
    for (std::size_t i = 0; i < connections_.size(); ++i)
      if (connections_[i].peer == f.to) hear(i, f);
}

void explorer_world::hear(std::size_t index, const sent_frame& f) {
  const connection& c = connections_[index];
  if (!c.open || c.cut) return;
  const buffer_ref parts[] = {copy_to_buffer(f.head)};
  const std::size_t whose = c.producer;
  producers_[whose].client->on_frame(parts, producers_[whose].at);
  pump(whose);
}

/// Moves that nobody else can see, and connections that are over.
void explorer_world::settle() {
  if (scope_.reduced)
    for (std::size_t i = 0; i < producers_.size(); ++i)
      if (!current(i) && !producers_[i].client->final()) give_up(i);
  std::erase_if(connections_, [&](const connection& c) { return !c.open && !alive(c); });
}

bool explorer_world::matters(const wire_frame& f, const connection& c) const {
  if (f.type == frame_type::hello) return true;
  auto& channel = const_cast<device_world&>(device_).channel();
  const session* s = channel.session_room().find(f.session);
  return s && s->peer == c.peer;
}

/// Something may still come over it that the device takes in.
bool explorer_world::alive(const connection& c) const {
  if (!scope_.reduced) return !c.to_device.empty();
  return std::any_of(c.to_device.begin(), c.to_device.end(),
                     [&](const wire_frame& f) { return matters(f, c); });
}

/// What the newest records say, so that nobody has to read them again.
void explorer_world::take_note() {
  const auto& records = device_.log().records();
  for (; noted_ < records.size(); ++noted_) {
    const auto& r = records[noted_];
    note n;
    n.record = noted_;
    if (r.head.type == record_type::producer_def) {
      const producer_def def = decode_producer_def(r.body.bytes()).value();
      n.definition = true;
      n.owner = def.nonce == producers_[1].nonce;
      n.id = static_cast<std::uint8_t>(id_of(n.owner));
      n.number = def.epoch;
      id_of_number_.at(def.number) = n.id;
      notes_.push_back(n);
    } else if (r.head.type == record_type::block) {
      n.id = id_of_number_.at(r.head.producer);
      n.number = r.head.producer_number;
      entry_walker walker(r.body.bytes());
      for (entry e; walker.next(e); ++n.number) {
        const signature s = signed_by(e.data);
        n.owner = s.owner;
        n.block = s.block;
        notes_.push_back(n);
      }
    }
  }
}

std::string explorer_world::broken() const {
  const auto& log = device_.log();
  const std::size_t durable = log.records().size() - log.unsynced();
  std::array<std::uint64_t, 2> expected{1, 1};
  std::array<std::array<const note*, 10>, 2> where{};
  std::array<int, 2> last{-1, -1};
  for (const note& n : notes_) {
    if (n.definition) continue;
    if (n.number != expected[n.id])
      return "number " + std::to_string(n.number) + " follows " +
             std::to_string(expected[n.id] - 1);
    ++expected[n.id];
    if (where[n.owner].at(n.block)) return text(n.owner, n.block) + " is in the log twice";
    where[n.owner][n.block] = &n;
    if (n.block < last[n.owner])
      return text(n.owner, n.block) + " is behind a later block of its producer";
    last[n.owner] = n.block;
  }
  for (std::size_t p = 0; p < producers_.size(); ++p) {
    const outbox& box = *producers_[p].box;
    for (std::size_t b = 0; b < producers_[p].numbers.size(); ++b) {
      if (box.accepted_through() < producers_[p].numbers[b]) continue;
      const note* at = where[p][b];
      if (!at || at->record >= durable) return text(p, b) + " was accepted and is not durable";
      if (at->number != producers_[p].numbers[b])
        return text(p, b) + " is in the log under another number";
    }
    if (!box.failure().ok()) return "a producer gave up: " + std::string(box.failure().text());
  }
  return {};
}

bool explorer_world::done(std::size_t index) const {
  const producer& p = producers_[index];
  return p.client->final() ||
         (p.numbers.size() == static_cast<std::size_t>(scope_.blocks) && p.box->outstanding() == 0);
}

}  // namespace holdfast
