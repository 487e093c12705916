// A pub/sub channel against the plainest one that could work: a vector of messages, and for each
// subscriber the sequence below which it has everything it wants. Random publishing, attaching,
// credit, acks, cuts, losses, corruption, limits of all kinds, restarts by replay and by
// checkpoint, and power losses; at the end everybody who listens must have all of it.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/random.hpp"
#include "patterns/block.hpp"
#include "tests/patterns/pubsub_world.hpp"

using namespace holdfast;

namespace {

struct message {
  std::string topic, text;
  std::uint64_t real_ns = 0;
};

/// What both kinds of subscriber are in the model.
struct reader {
  std::string name;
  std::vector<std::string> prefixes;
  std::uint64_t since_ns = 0;
  peer_id peer = 0;
  bool listens = false;
  std::uint64_t next = 1;        // everything wanted below was received, or named lost
  std::uint64_t seen = 0;        // the last that came
  std::set<std::uint64_t> gone;  // named lost
};

struct reliable : reader {
  std::uint32_t session = 0;
  bool known = false;  // the device has it on disk, if it has a name
  std::uint64_t credit = 0, messages = 0, acks = 0;
  std::map<std::uint64_t, std::uint64_t> pending;  // ack number -> end
  std::uint64_t acked = 1, confirmed = 1;          // ends
};

struct plain : reader {
  std::vector<std::uint64_t> delivered;  // in this connection
  std::uint64_t handed = 0, room = 0;
  std::set<std::uint64_t> ever_handed;
  std::uint64_t surely_settled = 1;  // end: not to come again, unless the device stopped
  std::uint32_t in_doubt = 0;
  bool first = true;  // nothing came in this connection yet
};

pubsub_options small_channel(random_source& random) {
  pubsub_options o;
  o.retention_bytes = random.below(2) ? 4000 : 0;
  o.retention_age_ns = random.below(2) ? 40 * second_ns : 0;
  o.retention_records = random.below(3) == 0 ? 1 + random.below(60) : 0;
  o.retention_until_acked = random.below(2) == 0;
  o.heartbeat_ms = 0x7fffffff;
  return o;
}

class rig {
 public:
  explicit rig(std::uint64_t seed)
      : random_(seed), options_(small_channel(random_)), world_(options_, seed) {
    const std::vector<std::vector<std::string>> filters = {{""}, {"a"}, {"ab", "b"}, {"c"}};
    for (int i = 0; i < 5; ++i) {
      reliable r;
      r.name = i < 3 ? "name" + std::to_string(i) : "";
      r.prefixes = filters[random_.below(filters.size())];
      hfp_.push_back(r);
    }
    for (int i = 0; i < 3; ++i) {
      plain p;
      p.name = i == 0 ? "endpoint" : "";
      p.prefixes = filters[random_.below(filters.size())];
      p.in_doubt = static_cast<std::uint32_t>(4 + random_.below(12));
      plain_.push_back(p);
    }
  }

  void run(int operations) {
    for (int i = 0; i < operations; ++i) {
      CAPTURE(i);
      operation();
      take_in();
      check_retention();
    }
    finish();
  }

 private:
  void operation() {
    world_.run_max = random_.below(3) ? ~0u : static_cast<std::uint32_t>(1 + random_.below(7));
    advance(random_.below(300) * ms_ns);
    const std::uint64_t op = random_.below(100);
    if (op < 30) return publish();
    if (op < 42) return world_.make_durable(1 + random_.below(4));
    if (op < 50) return attach(hfp_[random_.below(hfp_.size())]);
    if (op < 62) return grant(hfp_[random_.below(hfp_.size())]);
    if (op < 74) return ack(hfp_[random_.below(hfp_.size())]);
    if (op < 77) return leave(hfp_[random_.below(hfp_.size())]);
    if (op < 81) return join(plain_[random_.below(plain_.size())]);
    if (op < 91) return pump(plain_[random_.below(plain_.size())]);
    if (op < 93) return lose(plain_[random_.below(plain_.size())]);
    if (op < 94) return rot();
    if (op < 96) return advance(random_.below(20) * second_ns), world_.tick();
    if (op < 98) return world_.checkpoint(random_.below(2) ? 64 : 1 << 20);
    restart(random_.below(2) == 0);
  }

  void advance(std::uint64_t ns) {
    world_.at.now_ns += ns;
    world_.at.real_ns += ns;
  }

  void publish() {
    static const char* topics[] = {"a", "ab", "b", "c"};
    std::vector<std::vector<std::string>> block;
    for (std::uint64_t n = 1 + random_.below(6); n > 0; --n) {
      const message m{topics[random_.below(4)], "m" + std::to_string(++texts_), world_.at.real_ns};
      all_.push_back(m);
      block.push_back({m.topic, m.text});
    }
    world_.publish(block);
  }

  bool wants(const reader& r, std::uint64_t sequence) const {
    const message& m = all_[sequence - 1];
    if (m.real_ns < r.since_ns) return false;
    for (const std::string& p : r.prefixes)
      if (m.topic.starts_with(p)) return true;
    return false;
  }

  bool durable(std::uint64_t sequence) {
    const auto& records = world_.log().records();
    const std::size_t synced = records.size() - world_.log().unsynced();
    for (std::size_t i = 0; i < synced; ++i)
      if (records[i].head.type == record_type::block &&
          records[i].head.first_sequence + records[i].head.count > sequence)
        return true;
    return false;
  }

  // ---- reliable subscribers

  void attach(reliable& r) {
    if (r.listens) return;
    if (r.peer == 0) {
      r.peer = ++peers_;
      hello h;
      h.producer_id = "s" + std::to_string(r.peer);
      h.nonce[0] = static_cast<std::byte>(r.peer);
      h.heartbeat_ms = 3'000'000;
      world_.receive(r.peer, encode(0, h).bytes());
      world_.make_durable();
      for (const pubsub_sent& f : split(r.peer))
        if (decode_prefix(f.head)->type == frame_type::welcome)
          r.session = decode_welcome(f.head).value().session;
      REQUIRE(r.session != 0);
    }
    holdfast::attach f;
    f.role = attach_role::consume;
    f.group = r.name;
    f.filter = r.prefixes;
    const bool fresh = r.name.empty() || !r.known;
    f.start = static_cast<start_at>(1 + random_.below(5));
    const history& kept = world_.channel().kept();
    if (f.start == start_at::sequence) f.at = 1 + random_.below(all_.size() + 2);
    if (f.start == start_at::time) f.at = world_.at.real_ns - random_.below(5 * second_ns);
    const std::uint64_t visible = kept.visible();
    world_.receive(r.peer, encode(r.session, f).bytes());
    if (random_.below(2)) return restart(true);  // power goes before the definition is durable
    world_.make_durable();
    std::optional<attached> answer;
    for (const pubsub_sent& s : split(r.peer))
      if (decode_prefix(s.head)->type == frame_type::attached)
        answer = decode_attached(s.head).value();
    REQUIRE(answer);
    const std::uint64_t begins = answer->next_sequence;
    if (fresh) {
      r.since_ns = f.start == start_at::time ? f.at : 0;
      r.acked = r.confirmed = begins;
      r.gone.clear();
      check_start(f, begins, visible);
    } else {
      for (std::uint64_t s = r.acked; s < begins; ++s)
        CHECK((!wants(r, s) || r.gone.contains(s)));  // nothing unread is left out
      for (std::uint64_t s = begins; s < r.confirmed; ++s)
        CHECK(!wants(r, s));  // what was confirmed does not come again
    }
    r.known = true;
    r.listens = true;
    r.next = begins;
    r.credit = r.messages = r.acks = 0;
    r.pending.clear();
  }

  void check_start(const holdfast::attach& f, std::uint64_t begins, std::uint64_t visible) {
    const std::uint64_t end = all_.size() + 1;
    switch (f.start) {
      case start_at::next: CHECK(begins == end); break;
      case start_at::first: CHECK(begins == world_.channel().kept().lowest()); break;
      case start_at::last:
        CHECK(begins == std::max(world_.channel().kept().lowest(), visible - 1));
        break;
      case start_at::sequence: CHECK(begins == std::min(f.at, end)); break;
      case start_at::time:
        for (std::uint64_t s = world_.channel().kept().lowest(); s < begins; ++s)
          CHECK(all_[s - 1].real_ns < f.at);
        break;
      case start_at::known: FAIL("asked of a name that is new");
    }
  }

  void grant(reliable& r) {
    if (!r.listens) return;
    r.credit += 1 + random_.below(12);
    small_head head;
    encode(head, r.session, credit{world_.stream(), r.credit, 1 << 30, random_.below(2) == 0});
    world_.receive(r.peer, head.bytes());
  }

  void ack(reliable& r) {
    if (!r.listens || r.next <= r.acked) return;
    const std::uint64_t end = r.acked + 1 + random_.below(r.next - r.acked);
    holdfast::ack f{world_.stream(), ++r.acks, {{end - 1, 1}}};
    r.acked = end;
    r.pending[f.number] = end;
    world_.receive(r.peer, encode(r.session, f).bytes());
  }

  void leave(reliable& r) {
    if (!r.listens) return;
    take_in();
    small_head head;
    encode_bare(head, frame_type::bye, r.session);
    world_.receive(r.peer, head.bytes());
    stopped(r);
  }

  static void stopped(reliable& r) {
    r.listens = false;
    r.peer = 0;
    r.session = 0;
    if (r.name.empty()) r.known = false;
  }

  // ---- plain subscribers

  void join(plain& p) {
    if (p.listens) return;
    p.peer = ++peers_;
    plain_peer peer;
    peer.peer = p.peer;
    peer.durable = p.name;
    peer.in_doubt_messages = p.in_doubt;
    world_.joined(peer);
    p.delivered.clear();
    p.handed = p.room = 0;
    p.first = true;
    p.listens = true;
    if (p.name.empty() || !named_plain_) p.next = all_.size() + 1;
    for (const std::string& prefix : p.prefixes) {
      const std::string frame = '\1' + prefix;
      world_.receive(p.peer, as_bytes_view(frame.data(), frame.size()), {}, door::plain);
    }
    if (!p.name.empty() && !std::exchange(named_plain_, true)) {
      p.next = all_.size() + 1;
      world_.make_durable();
    }
    report(p);
  }

  void report(plain& p) {
    p.room = p.handed + 1 + random_.below(10);
    world_.report({p.peer, p.handed, p.room, false});
  }

  void pump(plain& p) {
    if (!p.listens) return;
    take_in();
    for (std::uint64_t n = random_.below(p.delivered.size() - p.handed + 1); n > 0; --n)
      p.ever_handed.insert(p.delivered[p.handed++]);
    report(p);
    const bool dense = p.prefixes.front().empty();
    if (dense && p.handed > p.in_doubt)
      p.surely_settled = p.delivered[p.handed - p.in_doubt - 1] + 1;
  }

  void lose(plain& p) {
    if (!p.listens) return;
    take_in();
    world_.lost(p.peer);
    p.listens = false;
    p.peer = 0;
  }

  // ---- the rest

  void rot() {
    if (all_.empty()) return;
    const std::uint64_t first = 1 + random_.below(all_.size());
    world_.unreadable = {first, 1 + random_.below(5)};
    for (std::uint64_t s = first; s < world_.unreadable.end(); ++s) rotten_.insert(s);
  }

  void restart(bool power) {
    take_in();
    world_.restart(power);
    std::uint64_t end = 1;
    for (const auto& e : world_.log().records())
      if (e.head.type == record_type::block) end = e.head.first_sequence + e.head.count;
    for (const reader* r : readers()) CHECK(r->seen < end);  // nothing was seen that is gone
    all_.resize(end - 1);
    for (reliable& r : hfp_) stopped(r);
    for (plain& p : plain_) {
      p.listens = false;
      p.surely_settled = 1;
    }
    for (reliable& r : hfp_)
      if (!r.name.empty()) r.known = subscription_known(r.name);
    named_plain_ = subscription_known("endpoint");
    take_in();
  }

  bool subscription_known(const std::string& name) {
    for (const auto& [number, s] : world_.channel().room().all())
      if (s.name() == name) return true;
    return false;
  }

  std::vector<const reader*> readers() const {
    std::vector<const reader*> made;
    for (const reliable& r : hfp_) made.push_back(&r);
    for (const plain& p : plain_) made.push_back(&p);
    return made;
  }

  /// The frames to one peer; the others are taken in.
  std::vector<pubsub_sent> split(peer_id to) {
    std::vector<pubsub_sent> mine;
    for (pubsub_sent& f : world_.take_sent()) {
      if (f.to == to)
        mine.push_back(std::move(f));
      else
        take_in(f);
    }
    return mine;
  }

  void take_in() {
    for (const pubsub_sent& f : world_.take_sent()) take_in(f);
  }

  void take_in(const pubsub_sent& f) {
    for (plain& p : plain_)
      if (p.peer == f.to && p.listens) return take_plain(p, f);
    for (reliable& r : hfp_) {
      if (r.peer != f.to || !r.listens) continue;
      const auto prefix = decode_prefix(f.head);
      if (prefix->type == frame_type::deliver) take_delivery(r, f);
      if (prefix->type == frame_type::gap) take_gap(r, decode_gap(f.head).value());
      if (prefix->type == frame_type::acked) {
        const std::uint64_t through = decode_acked(f.head).value().through;
        for (const auto& [number, end] : r.pending)
          if (number <= through) r.confirmed = std::max(r.confirmed, end);
      }
    }
  }

  void take_delivery(reliable& r, const pubsub_sent& f) {
    const deliver d = decode_deliver(f.head).value();
    r.messages += f.sequences.size();
    CHECK(r.messages <= r.credit);
    CHECK(d.first_sequence == f.sequences.front());
    take_messages(r, f);
  }

  void take_messages(reader& r, const pubsub_sent& f) {
    std::size_t at = 0;
    entry_walker walker(f.body.bytes());
    for (entry e; walker.next(e);) {
      if (e.voided()) continue;
      const std::uint64_t sequence = f.sequences.at(at++);
      CAPTURE(sequence);
      REQUIRE(sequence <= all_.size());
      CHECK(sequence >= r.next);
      for (std::uint64_t s = r.next; s < sequence; ++s) CHECK(!wants(r, s));
      CHECK(wants(r, sequence));
      CHECK(durable(sequence));
      const bytes_view text = e.part(1);
      CHECK(std::string(reinterpret_cast<const char*>(text.data()), text.size()) ==
            all_[sequence - 1].text);
      r.next = sequence + 1;
      r.seen = std::max(r.seen, sequence);
    }
    CHECK(at == f.sequences.size());
  }

  void take_gap(reader& r, const gap& g) {
    CHECK(g.messages.first >= r.next);
    for (std::uint64_t s = r.next; s < g.messages.first; ++s) CHECK(!wants(r, s));
    const std::uint64_t lowest = world_.channel().kept().lowest();
    for (std::uint64_t s = g.messages.first; s < g.messages.end(); ++s) {
      CHECK((s < lowest || rotten_.contains(s)));
      CHECK((g.cause == gap_cause::corrupt || s < lowest));
      r.gone.insert(s);
    }
    r.next = g.messages.end();
  }

  /// A plain peer is told of no gap: what it misses must be gone.
  void take_plain(plain& p, const pubsub_sent& f) {
    const std::uint64_t first = f.sequences.front();
    const auto lost = [&](std::uint64_t s) {
      return s < world_.channel().kept().lowest() || rotten_.contains(s);
    };
    if (std::exchange(p.first, false) && !p.name.empty()) {
      // It begins where it was, or repeats what was in doubt.
      CHECK(first >= p.surely_settled);
      for (std::uint64_t s = 1; s < first; ++s)
        CHECK((!wants(p, s) || p.ever_handed.contains(s) || lost(s) || s < p.next));
      if (first < p.next) p.next = first;
    }
    while (p.next < first && lost(p.next)) ++p.next;
    for (const std::uint64_t s : f.sequences)
      for (; p.next < s && (lost(p.next) || !wants(p, p.next)); ++p.next) {
      }
    p.next = std::min(p.next, first);
    while (p.next < first && (lost(p.next) || !wants(p, p.next))) ++p.next;
    take_messages(p, f);
    for (const std::uint64_t s : f.sequences) p.delivered.push_back(s);
    CHECK(p.delivered.size() <= p.room);
  }

  void check_retention() {
    const std::uint64_t lowest = world_.channel().kept().lowest();
    CHECK(world_.trimmed <= lowest);
    check_count(lowest);
    check_until_acked(lowest);
    lowest_ = lowest;
    if (options_.retention_bytes == 0) return;
    std::uint64_t kept = 0, last = 0;
    for (const auto& e : world_.log().records())
      if (e.head.type == record_type::block && e.head.first_sequence >= lowest) {
        kept += e.body.size();
        last = e.body.size();
      }
    // What is not durable yet stays whatever its size.
    if (world_.log().unsynced() == 0) CHECK(kept <= options_.retention_bytes + last);
  }

  void check_count(std::uint64_t lowest) {
    const std::uint64_t limit = options_.retention_records;
    if (limit == 0 || world_.log().unsynced() != 0) return;
    CHECK(all_.size() + 1 - lowest <= limit + limit / 16);
    const bool alone = options_.retention_bytes == 0 && options_.retention_age_ns == 0 &&
                       !options_.retention_until_acked;
    if (alone && all_.size() > limit) CHECK(lowest <= all_.size() + 1 - limit);
  }

  /// Where no limit takes anything, nothing goes that somebody with a name still waits for.
  void check_until_acked(std::uint64_t lowest) {
    const bool limited = options_.retention_bytes != 0 || options_.retention_age_ns != 0 ||
                         options_.retention_records != 0;
    if (limited) return;
    if (!options_.retention_until_acked) CHECK(lowest == 1);
    for (std::uint64_t s = lowest_; s < lowest; ++s) {
      for (const reliable& r : hfp_)
        if (!r.name.empty() && r.known && s >= r.acked) CHECK((!wants(r, s) || r.gone.contains(s)));
      for (const plain& p : plain_)
        if (!p.name.empty() && named_plain_ && s >= p.next)
          CHECK((!wants(p, s) || rotten_.contains(s)));
    }
    if (!options_.retention_until_acked) return;
    std::uint64_t waited_for = never_ns;
    for (const auto& [number, s] : world_.channel().room().all())
      if (s.durable()) waited_for = std::min(waited_for, s.noted());
    if (waited_for != never_ns)
      CHECK(lowest >= std::min(waited_for, world_.channel().kept().visible()));
  }

  /// Everything is durable, everybody takes all: nothing may be missing.
  void finish() {
    world_.unreadable = {};
    world_.run_max = ~0u;
    world_.make_durable();
    world_.wait(2 * second_ns);
    for (reliable& r : hfp_) {
      if (!r.listens) continue;
      small_head head;
      encode(head, r.session, credit{world_.stream(), 1 << 30, 1 << 30, true});
      r.credit = 1 << 30;
      world_.receive(r.peer, head.bytes());
    }
    for (plain& p : plain_) {
      if (!p.listens) continue;
      take_in();
      p.room = 1 << 30;
      world_.report({p.peer, p.handed, p.room, false});
    }
    take_in();
    for (const reliable& r : hfp_)
      if (r.listens)
        for (std::uint64_t s = r.next; s <= all_.size(); ++s) CHECK(!wants(r, s));
    const std::uint64_t lowest = world_.channel().kept().lowest();
    for (const plain& p : plain_)
      if (p.listens && !(p.first && !p.name.empty()))
        for (std::uint64_t s = std::max(p.next, lowest); s <= all_.size(); ++s)
          CHECK((!wants(p, s) || rotten_.contains(s)));
  }

  random_source random_;
  pubsub_options options_;
  pubsub_world world_;
  std::vector<message> all_;  // index = sequence - 1
  std::vector<reliable> hfp_;
  std::vector<plain> plain_;
  std::set<std::uint64_t> rotten_;
  peer_id peers_ = 0;
  std::uint64_t texts_ = 0, lowest_ = 1;
  bool named_plain_ = false;
};

}  // namespace

TEST_CASE("a channel does what the plainest model does") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    rig(seed).run(250);
  }
}
