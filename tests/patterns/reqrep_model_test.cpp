// Request-reply against the naivest model that could hold: what was asked, what was executed, what
// was answered. Random requests, repeats, replies (late ones among them), lost workers, restarts
// and power losses with part of the log synced, checkpoints in slices. At any time: a reply goes to
// its own client, says what a worker said to that very request, and never changes; nobody is given
// a request whose reply was told durable. At the end: what was accepted was executed and answered,
// once; or, where the service has a limit, what was not executed was dropped, and its client told.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/checksum.hpp"
#include "base/random.hpp"
#include "patterns/block.hpp"
#include "tests/patterns/reqrep_world.hpp"

using namespace holdfast;

namespace {

/// What a request's one part says: "client:number".
struct asked {
  bool accepted = false, dropped = false;
  std::uint64_t executed = 0;
  std::set<std::string> said;  ///< by workers
  std::string reply;           ///< what its client got
  bool durable_reply = false;
  std::uint64_t replies = 0;
};

struct requester {
  peer_id peer = 0;
  std::uint32_t session = 0;
  bool attached = false, replies = false;
  std::uint64_t next = 1;              // number to send
  std::vector<std::string> published;  // by number - 1: texts; repeats among them
  std::vector<range> to_ack;
  std::uint64_t acks = 0;
};

struct held {
  std::string text, dispatch;
  std::uint64_t sequence = 0;
  std::uint16_t attempt = 1;
  bytes16 id{};
};

struct worker {
  peer_id peer = 0;
  bool reliable = false;
  std::uint32_t session = 0;
  bool attached = false;
  std::uint64_t credit = 0;
  std::vector<held> holds;
};

bytes16 id_of(const std::string& text) {
  bytes16 id{};
  std::memcpy(id.data(), text.data(), std::min(text.size(), id.size()));
  return id;
}

class rig {
 public:
  /// `records`: the limit of the service; 0 = none.
  explicit rig(std::uint64_t seed, std::uint64_t records = 0)
      : random_(seed), limited_(records != 0), world_(options(records), seed) {
    clients_.resize(2);
    for (requester& c : clients_) c.peer = ++last_peer_;
    for (int i = 0; i < 3; ++i) add_worker(i == 2);
    service_ = world_.stream_of("default");
    reply_stream_ = world_.stream_of("default.reply");
  }

  void play(int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::uint64_t what = random_.below(100);
      CAPTURE(i);
      CAPTURE(what);
      operation(what);
      look();
    }
    finish();
  }

 private:
  static reqrep_options options(std::uint64_t records) {
    reqrep_options o;
    o.retention.all.records = records;
    o.attempt_ns = second_ns;
    o.attempts_max = 0;
    o.deadline_ns = 100'000 * second_ns;
    o.reply_ttl_ns = 100'000 * second_ns;
    o.heartbeat_misses = 100'000;
    return o;
  }

  void operation(std::uint64_t what) {
    if (what < 14) return ask(some(clients_));
    if (what < 18) return repeat(some(clients_));
    if (what < 28) return ask_plainly();
    if (what < 45) return world_.make_durable();
    if (what < 52) return world_.log().sync(random_.below(4)), world_.tick();
    if (what < 74) return answer(some(workers_));
    if (what < 80) return ack(some(clients_));
    if (what < 84) return world_.wait(random_.below(1500) * ms_ns);
    if (what < 88) return lose(random_.below(workers_.size()));
    if (what < 94) return connect();
    if (what < 96) return checkpoint();
    if (what < 98) return restart(true);
    restart(false);
  }
  template <class T>
  T& some(std::vector<T>& of) {
    return of[random_.below(of.size())];
  }

  void add_worker(bool reliable) {
    worker w;
    w.peer = ++last_peer_;
    w.reliable = reliable;
    workers_.push_back(w);
    if (!reliable) world_.join(w.peer, world_.stream_of("default"));
  }
  void lose(std::size_t at) {
    const worker gone = workers_[at];
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(at));
    world_.lost(gone.peer);
    add_worker(gone.reliable);
  }

  /// Whoever has no session, or is not attached yet, goes one step.
  void connect() {
    for (requester& c : clients_) {
      const std::string name = "client" + std::to_string(&c - clients_.data());
      if (c.session == 0)
        hello(c.peer, name);
      else if (!c.attached)
        attach(c.peer, c.session, attach_role::produce);
      else if (!c.replies)
        attach(c.peer, c.session, attach_role::replies);
    }
    for (worker& w : workers_) {
      if (!w.reliable) continue;
      if (w.session == 0)
        hello(w.peer, "worker" + std::to_string(w.peer));
      else if (!w.attached)
        attach(w.peer, w.session, attach_role::consume);
    }
  }
  void hello(peer_id peer, const std::string& name) {
    holdfast::hello f;
    f.producer_id = name;
    f.named = true;
    store(f.nonce.data(), peer);
    f.heartbeat_ms = 3'600'000;
    world_.receive(peer, encode(0, f).bytes());
  }
  void attach(peer_id peer, std::uint32_t session, attach_role role) {
    holdfast::attach f;
    f.request = static_cast<std::uint32_t>(role);
    f.role = role;
    world_.receive(peer, encode(session, f).bytes());
  }
  void credit(peer_id peer, std::uint32_t session, stream_id stream, std::uint64_t total) {
    small_head head;
    encode(head, session, holdfast::credit{stream, total, 1 << 30, false});
    world_.receive(peer, head.bytes());
  }

  void ask(requester& c) {
    c.published.push_back(std::to_string(&c - clients_.data()) + ":" +
                          std::to_string(c.published.size()));
    all_[c.published.back()];
    publish(c);
  }
  void repeat(requester& c) {
    if (c.published.empty()) return;
    c.published.push_back(c.published[random_.below(c.published.size())]);
    publish(c);
  }
  void publish(requester& c) {
    while (c.attached && c.next <= c.published.size()) {
      block_packer packer;
      const std::uint64_t first = c.next;
      const std::uint64_t count =
          std::min<std::uint64_t>(c.published.size() + 1 - first, 1 + random_.below(3));
      for (; c.next < first + count; ++c.next) {
        const std::string& text = c.published[c.next - 1];
        request_head head;
        head.id = id_of(text);
        std::array<std::byte, head_bytes_max> buffer;
        const std::size_t size = encode(buffer, head);
        const std::array<bytes_view, 2> parts{bytes_view(buffer).first(size),
                                              as_bytes_view(text.data(), text.size())};
        packer.add(parts, 0);
      }
      sealed_block b = packer.seal();
      small_head head;
      encode(head, c.session,
             holdfast::publish{service_, first, b.count, b.props_mask, b.body_sum});
      world_.receive(c.peer, head.bytes(), {b.body});
    }
  }
  void ask_plainly() {
    const peer_id peer = ++last_peer_;
    const std::string text = "p:" + std::to_string(peer);
    all_[text];
    world_.receive_parts(peer, door::plain, service_, {"", text});
  }

  void answer(worker& w) {
    if (w.holds.empty()) return;
    const std::size_t at = random_.below(w.holds.size());
    const held h = w.holds[at];
    if (!w.reliable || random_.chance(80))  // a reliable one may say it twice
      w.holds.erase(w.holds.begin() + static_cast<std::ptrdiff_t>(at));
    const std::string says =
        h.text + " by " + std::to_string(w.peer) + " " + std::to_string(++said_);
    all_[h.text].said.insert(says);
    if (!w.reliable)
      return world_.receive_parts(w.peer, door::plain, service_, {h.dispatch, "", says});
    reply_head head;
    head.sequence = h.sequence;
    head.id = h.id;
    std::array<std::byte, head_bytes_max> buffer;
    const std::size_t size = encode(buffer, head);
    block_packer packer;
    const std::array<bytes_view, 2> parts{bytes_view(buffer).first(size),
                                          as_bytes_view(says.data(), says.size())};
    packer.add(parts, 0);
    sealed_block b = packer.seal();
    small_head frame;
    encode(frame, w.session, reply_frame{service_, {h.sequence, 1}, h.attempt, b.body_sum});
    world_.receive(w.peer, frame.bytes(), {b.body});
  }
  void ack(requester& c) {
    if (c.to_ack.empty() || !c.replies) return;
    holdfast::ack f{reply_stream_, ++c.acks, std::exchange(c.to_ack, {})};
    world_.receive(c.peer, encode(c.session, f).bytes());
  }

  /// In slices, with life going on between them.
  void checkpoint() {
    world_.checkpoint(random_.chance(70) ? 1 : 1 << 20, [&] {
      look();  // what was synced for the checkpoint may have let something leave
      for (std::uint64_t left = random_.below(4); left > 0; --left) {
        operation(random_.below(94));
        look();
      }
    });
  }

  void restart(bool power) {
    if (power && random_.chance(50)) world_.log().sync(random_.below(6));
    world_.restart(power);
    (void)world_.take_sent();
    for (requester& c : clients_) {
      c.peer = ++last_peer_;
      c.session = 0;
      c.attached = c.replies = false;
      c.to_ack.clear();
      c.acks = 0;
    }
    std::vector<worker> old = std::exchange(workers_, {});
    for (const worker& w : old) add_worker(w.reliable);
  }

  /// Takes in what the device sent, and checks it.
  void look() {
    for (const reqrep_sent& f : world_.take_sent()) {
      for (requester& c : clients_)
        if (c.peer == f.to) to_client(c, f);
      bool known = false;
      for (worker& w : workers_)
        if (w.peer == f.to) known = true, to_worker(w, f);
      if (!known && f.form == frame_form::enveloped) to_plain_client(f);
    }
    for (requester& c : clients_)
      if (c.attached) publish(c);
  }
  void to_client(requester& c, const reqrep_sent& f) {
    switch (decode_prefix(f.head)->type) {
      case frame_type::welcome: c.session = decode_welcome(f.head).value().session; break;
      case frame_type::attached: {
        const attached a = decode_attached(f.head).value();
        if (a.request == static_cast<std::uint32_t>(attach_role::replies)) {
          c.replies = true;
          credit(c.peer, c.session, reply_stream_, 1'000'000);
        } else {
          REQUIRE(a.next_number <= c.published.size() + 1);
          REQUIRE(a.next_number > accepted_[&c]);
          c.next = a.next_number;
          c.attached = true;
        }
        break;
      }
      case frame_type::accept: {
        const std::uint64_t through = decode_accept(f.head).value().through;
        for (std::uint64_t n = 1; n <= through; ++n) all_[c.published.at(n - 1)].accepted = true;
        accepted_[&c] = std::max(accepted_[&c], through);
        break;
      }
      case frame_type::deliver: replies_to(c, f); break;
      default: break;
    }
  }
  void replies_to(requester& c, const reqrep_sent& f) {
    REQUIRE(f.stream == reply_stream_);
    entry_walker walker(f.body.bytes());
    entry e;
    for (std::uint64_t at = f.first; walker.next(e); ++at) {
      const auto head = decode_reply_head(e.part(0));
      REQUIRE(head);
      c.to_ack.push_back({at, 1});
      const std::string id(reinterpret_cast<const char*>(head->id.data()));
      REQUIRE(id[0] == '0' + (&c - clients_.data()));  // its own
      if (head->status == reply_status::closed) {
        REQUIRE(!all_[id].reply.empty());  // it had one, and acked it
        continue;
      }
      if (head->status == reply_status::dropped) {
        REQUIRE(limited_);
        all_[id].dropped = true;
        all_[id].said.insert(text_of(e.part(1)));
      }
      got(id, text_of(e.part(1)));
    }
  }
  void to_plain_client(const reqrep_sent& f) {
    REQUIRE(f.parts.size() == 2);
    const std::string id = "p:" + std::to_string(f.to);
    got(id, f.parts[1]);
    REQUIRE(++all_[id].replies == 1);
  }
  void got(const std::string& id, const std::string& text) {
    asked& a = all_[id];
    REQUIRE(a.said.contains(text));
    REQUIRE((a.reply.empty() || a.reply == text));
    a.reply = text;
    a.durable_reply = true;
  }
  void to_worker(worker& w, const reqrep_sent& f) {
    if (!w.reliable) {
      REQUIRE(f.parts.size() == 3);
      if (!w.holds.empty()) w.holds.clear();  // a REP would not take two
      given(w, {f.parts[2], f.parts[0], 0, 1, {}});
      return;
    }
    switch (decode_prefix(f.head)->type) {
      case frame_type::welcome: w.session = decode_welcome(f.head).value().session; break;
      case frame_type::attached:
        w.attached = true;
        w.credit = 2;
        credit(w.peer, w.session, service_, w.credit);
        break;
      case frame_type::replied: {
        const replied r = decode_replied(f.head).value();
        if (r.outcome == reply_outcome::stored)
          all_[by_sequence_[r.requests.first]].durable_reply = true;
        credit(w.peer, w.session, service_, ++w.credit);
        break;
      }
      case frame_type::deliver: {
        const deliver d = decode_deliver(f.head).value();
        entry_walker walker(f.body.bytes());
        entry e;
        for (std::uint64_t at = f.first; walker.next(e); ++at) {
          const auto head = decode_request_head(e.part(0));
          REQUIRE(head);
          given(w, {text_of(e.part(1)), {}, at, d.attempt, head->id});
        }
        break;
      }
      default: break;
    }
  }
  void given(worker& w, const held& h) {
    if (h.sequence) by_sequence_[h.sequence] = h.text;
    asked& a = all_[h.text];
    REQUIRE(!a.durable_reply);  // never again after its reply
    ++a.executed;
    if (!w.reliable) REQUIRE(w.holds.empty());
    w.holds.push_back(h);
  }

  /// Everybody stays, and everything is done.
  void finish() {
    for (int i = 0; i < 2000; ++i) {
      connect();
      look();
      world_.make_durable();
      look();
      for (worker& w : workers_) {
        answer(w);
        look();
      }
      world_.wait(i % 20 == 0 ? second_ns : ms_ns);
      look();
      const bool asked_all = clients_[0].attached && clients_[0].replies && clients_[1].attached &&
                             clients_[1].replies;
      if (asked_all && i > 20 && world_.channel().find_service("default")->pending.empty()) break;
    }
    world_.make_durable();
    look();
    REQUIRE(world_.channel().find_service("default")->pending.empty());
    for (const auto& [name, a] : all_) {
      const auto& text = name;
      CAPTURE(text);
      const bool untold = limited_ && name.starts_with("p:");  // a plain client learns nothing
      if (a.accepted && !untold) {
        REQUIRE((a.executed >= 1 || a.dropped));
        REQUIRE(!a.reply.empty());
      }
    }
  }

  random_source random_;
  bool limited_;
  reqrep_world world_;
  std::vector<requester> clients_;
  std::vector<worker> workers_;
  std::map<std::string, asked> all_;
  std::map<std::uint64_t, std::string> by_sequence_;
  std::map<const requester*, std::uint64_t> accepted_;
  peer_id last_peer_ = 100;
  std::uint64_t said_ = 0;
  stream_id service_ = 0, reply_stream_ = 0;
};

}  // namespace

TEST_CASE("each request is executed, and answered once to its own client") {
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    CAPTURE(seed);
    rig(seed).play(300);
  }
}

TEST_CASE("where a service has a limit, each request is answered once, be it that it was dropped") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    rig(seed, 1 + seed % 7).play(300);
  }
}
