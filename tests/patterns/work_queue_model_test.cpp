// work_queue against the plainest queue that could work: one struct a message, everything by
// walking. 210 000 random operations over several seeds, restarts by replay and by checkpoint among
// them; after each the figures, the identity and the audit must agree, and every delivery must be
// of a message that is ready, visible, and says its attempt. Two seeds of three have limits: what
// goes must be beyond one of them, and nothing that waits may be.
#include <doctest/doctest.h>

#include <map>

#include "patterns/block.hpp"
#include "patterns/queue/work_queue.hpp"
#include "tests/patterns/fake_log.hpp"

using namespace holdfast;

namespace {

enum class place { ready, open, held, doubt, delayed, acked, settled, dead, dropped };

struct message {
  place where = place::ready;
  std::uint32_t failed = 0;
  std::uint8_t seen = 0;  // what a delivery says: 0 no, 1 maybe, 2 yes
  consumer_id owner = 0;
  std::uint64_t until = never_ns, cap = never_ns, due = 0;
  std::uint64_t came_real = 0;
  bool waits() const { return where == place::ready || where == place::delayed; }
  bool open() const { return where <= place::delayed; }
};

struct taker {
  consumer_kind kind;
  std::uint64_t credit = 0, taken = 0;
  bool open = false;
  grant run;
  std::uint64_t acked = 0;
};

class rig {
 public:
  explicit rig(std::uint64_t seed) : random_(seed) {
    if (seed % 3 != 0) draw_limits();
    boot();
    queue_->start(now_);
  }

  void run(int operations) {
    for (int i = 0; i < operations; ++i) {
      CAPTURE(i);
      const std::uint64_t op = random_.below(20);
      CAPTURE(op);
      operation(op);
      settle_turn();
      compare();
    }
  }

 private:
  static constexpr std::uint64_t lease = 30 * second_ns;
  static constexpr std::uint32_t attempts = 3;
  static constexpr std::uint64_t message_bytes = 10, block_messages = 8;

  void draw_limits() {
    if (random_.chance(50)) limits_.records = 1 + random_.below(40);
    if (random_.chance(50)) limits_.bytes = 1 + random_.below(400);
    if (random_.chance(50)) limits_.age_ns = (1 + random_.below(60)) * second_ns;
  }
  static bool leased(consumer_kind k) {
    return k == consumer_kind::reliable || k == consumer_kind::ack_back;
  }

  void boot() {
    out_ = outgoing();
    waits_.clear();
    work_queue_options o;
    o.lease_ns = lease;
    o.redelivery = {second_ns, 4 * second_ns, attempts};
    o.limits = limits_;
    queue_ = std::make_unique<work_queue>(o, stream_def{1, 1, "c", "q"}, out_, waits_, jitter_);
  }

  message& at(std::uint64_t sequence) { return all_.at(sequence - 1); }
  template <class F>
  void each(range r, F&& f) {
    for (std::uint64_t s = std::max<std::uint64_t>(r.first, 1); s < r.end() && s <= all_.size();
         ++s)
      f(s, at(s));
  }
  range some_range() {
    // Mostly near where things happen, else anywhere and beyond the end.
    const std::uint64_t span = all_.size() + 4;
    const std::uint64_t from =
        random_.chance(80) && span > 60 ? span - 60 + random_.below(60) : 1 + random_.below(span);
    return {from, 1 + random_.below(random_.chance(70) ? 4 : 30)};
  }
  consumer_id someone() {
    if (takers_.empty()) return 0;
    auto it = takers_.begin();
    std::advance(it, random_.below(takers_.size()));
    return it->first;
  }

  void operation(std::uint64_t which) {
    switch (which) {
      case 0:
      case 1:
      case 2: return append();
      case 3: return durable();
      case 4: return join();
      case 5:
      case 6: return credit();
      case 7:
      case 8:
      case 9: return hand_out();
      case 10:
      case 11: return cut_one();
      case 12:
      case 13: return ack();
      case 14: return nack();
      case 15: return touch();
      case 16: return pass_time();
      case 17: return hand_off();
      case 18: return random_.chance(30) ? leave() : hand_out();
      default: return random_.chance(4) ? restart() : durable();
    }
  }

  void append() {
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(random_.below(block_messages));
    const std::vector<std::byte> body(count * message_bytes);
    append_item item;
    item.head.type = record_type::block;
    item.head.stream = 1;
    item.head.first_sequence = queue_->next_sequence();
    item.head.count = static_cast<std::uint16_t>(count);
    item.head.time_ns = now_.real_ns;
    item.body = copy_to_buffer(body);
    queue_->append(count, body.size(), out_.add(std::move(item)), now_);
    message made;
    made.came_real = now_.real_ns;
    all_.resize(all_.size() + count, made);
  }

  void retain() {
    count_open_from();
    for (const range& r : queue_->beyond_limits(now_)) {
      REQUIRE(queue_->close(r, finish::retention) == r.count);
      each(r, [&](std::uint64_t s, message& m) {
        REQUIRE(m.waits());
        REQUIRE(may_go(s));
        m.where = place::dropped;
      });
    }
    for (std::uint64_t s = 1; s <= all_.size(); ++s)
      if (at(s).waits()) REQUIRE_FALSE(must_go(s));
  }
  /// open_from_[s]: open messages from sequence s on.
  void count_open_from() {
    open_from_.assign(all_.size() + 2, 0);
    for (std::uint64_t s = all_.size(); s >= 1; --s)
      open_from_[s] = open_from_[s + 1] + at(s).open();
  }
  /// Bytes hold to within a sixteenth and a block, age to within a sixteenth.
  bool may_go(std::uint64_t s) {
    const std::uint64_t bytes = open_from_[s] * message_bytes;
    return (limits_.records != 0 && open_from_[s] > limits_.records) ||
           (limits_.bytes != 0 && bytes + bytes_slack() > limits_.bytes) ||
           (limits_.age_ns != 0 && at(s).came_real + limits_.age_ns <= now_.real_ns);
  }
  bool must_go(std::uint64_t s) {
    return (limits_.records != 0 && open_from_[s] > limits_.records) ||
           (limits_.bytes != 0 && open_from_[s] * message_bytes > limits_.bytes) ||
           (limits_.age_ns != 0 &&
            at(s).came_real + limits_.age_ns + limits_.age_ns / 16 < now_.real_ns);
  }
  std::uint64_t bytes_slack() const { return limits_.bytes / 16 + block_messages * message_bytes; }

  /// Hands the records over, as a turn of the loop would, and learns due times from them.
  void settle_turn() {
    retain();
    queue_->flush(now_);
    ready asked;
    out_.take(asked);
    for (const append_item& item : asked.records) {
      if (item.head.type != record_type::group_fail) continue;
      const auto f = decode_group_fail(item.body.bytes());
      for (const range& r : f->ranges)
        each(r, [&](std::uint64_t, message& m) {
          m.due = now_.now_ns + (f->due_real_ns - now_.real_ns);
        });
    }
    std::uint64_t settled = 0;
    for (const auto& [stream, r] : asked.settled) settled += r.count;
    released_ += settled;
    if (!asked.records.empty()) out_.on_appended(log_.append(asked.records));
  }

  void durable() {
    log_.sync(random_.below(6));
    out_.update(log_.progress());
    while (!waits_.empty() && waits_.front().after <= out_.reached(level::disk)) {
      if (waits_.front().what == awaited::kind::visible)
        queue_->set_visible(visible_ = waits_.front().end);
      else
        queue_->set_handout(handout_ = waits_.front().end);
      waits_.pop_front();
    }
  }

  void join() {
    if (takers_.size() >= 5) return;
    consumer c;
    c.kind = static_cast<consumer_kind>(random_.below(4));
    if (leased(c.kind)) c.lease_ns = lease;
    c.bytes_total = ~std::uint64_t{0};
    c.whole_blocks = random_.chance(40);
    const consumer_kind kind = c.kind;
    takers_[queue_->join(c).id] = {kind, 0, 0, false, {}, 0};
  }
  void credit() {
    const consumer_id id = someone();
    if (!id) return;
    taker& t = takers_[id];
    t.credit += random_.below(20);
    const consumer* c = queue_->find(id);
    queue_->set_credit(id, t.credit, ~std::uint64_t{0}, c->whole_blocks);
  }

  void hand_out() {
    const auto g = queue_->next_grant(now_);
    if (!g) {
      bool able = false, locked = false;
      for (const auto& [id, t] : takers_) {
        const consumer* c = queue_->find(id);
        able = able || (!t.open && !c->stalled && t.credit > t.taken);
        locked = locked || (t.open && c->whole_blocks);
      }
      bool ready_one = false;
      for (std::uint64_t s = 1; s < std::min({visible_, handout_, all_.size() + 1}); ++s)
        ready_one = ready_one || at(s).where == place::ready;
      REQUIRE((!able || !ready_one || locked));
      return;
    }
    taker& t = takers_.at(g->to->id);
    bool right = true;
    REQUIRE(!t.open);
    REQUIRE(t.credit > t.taken);
    REQUIRE(g->what.count >= 1);
    REQUIRE(g->what.count <= t.credit - t.taken);
    REQUIRE(g->what.count <= g->what.reach);
    REQUIRE(g->what.first + g->what.reach <= std::min(visible_, handout_));
    each({g->what.first, g->what.reach}, [&](std::uint64_t, message& m) {
      right = right && m.where == place::ready && g->attempt == m.failed + 1 &&
              g->redelivered == m.seen;
      m.where = place::open;
      m.owner = g->to->id;
    });
    REQUIRE(right);
    t.open = true;
    t.run = *g;
  }

  void cut_one() {
    const consumer_id id = someone();
    if (!id || !takers_[id].open) return;
    taker& t = takers_[id];
    const holdfast::run& r = t.run.what;
    cut c;
    c.token = r.token;
    c.count = static_cast<std::uint32_t>(random_.chance(60) ? r.count : random_.below(r.reach + 1));
    c.bytes = c.count;
    if (random_.chance(5)) c.missing = {r.first + c.count, 1 + random_.below(4)};
    REQUIRE(queue_->on_cut(id, c, now_) == range{r.first, c.count});
    each({r.first, r.reach}, [&](std::uint64_t s, message& m) {
      if (m.where != place::open || m.owner != id) return;  // acked meanwhile
      if (s < r.first + c.count) {
        m.where = place::held;
        m.until = leased(t.kind) ? now_.now_ns + lease : never_ns;
        m.cap = now_.now_ns + 12 * lease;
      } else {
        m.where = s < c.missing.end() ? place::dropped : place::ready;
      }
    });
    t.open = false;
    t.taken += c.count;
  }

  void ack() {
    const range r = some_range();
    queue_->ack(r, now_);
    each(r, [&](std::uint64_t, message& m) {
      const bool left = m.where == place::held || m.where == place::doubt ||
                        m.where == place::delayed ||
                        ((m.where == place::open || m.where == place::ready) && m.seen);
      const bool its =
          m.where == place::held || m.where == place::doubt || (m.where == place::open && m.seen);
      if (its) takers_.at(m.owner).acked = now_.now_ns;
      if (left) m.where = place::acked;
    });
  }

  void nack() {
    const consumer_id id = someone();
    if (!id) return;
    holdfast::nack f;
    f.kind = static_cast<nack_kind>(1 + random_.below(3));
    f.delay_ms = random_.below(2) * (1 + random_.below(4000));
    f.ranges = {some_range()};
    queue_->nack(id, f, now_);
    each(f.ranges[0], [&](std::uint64_t, message& m) {
      if (m.owner != id || (m.where != place::held && m.where != place::doubt)) return;
      if (f.kind == nack_kind::reject) m.where = place::dead;
      if (f.kind == nack_kind::release) m.where = place::ready, m.seen = 2;
      if (f.kind == nack_kind::nack) fail(m);
    });
  }
  void fail(message& m) {
    ++m.failed;
    m.where = m.failed >= attempts ? place::dead : place::delayed;
  }

  void touch() {
    const consumer_id id = someone();
    if (!id) return;
    holdfast::touch f;
    f.extend_ms = random_.below(100'000);
    f.ranges = {some_range()};
    queue_->touch(id, f, now_);
    const std::uint64_t extend = f.extend_ms ? f.extend_ms * ms_ns : lease;
    each(f.ranges[0], [&](std::uint64_t, message& m) {
      if (m.owner == id && m.where == place::held && m.until != never_ns)
        m.until = std::min(now_.now_ns + extend, m.cap);
    });
  }

  void pass_time() {
    const std::uint64_t step = random_.below(random_.chance(90) ? 2 * second_ns : 2 * lease);
    now_.now_ns += step;
    now_.real_ns += step;
    tick();
  }
  void tick() {
    for (message& m : all_)
      if (m.where == place::held && m.until <= now_.now_ns) {
        const taker& t = takers_.at(m.owner);
        if (t.kind == consumer_kind::ack_back) m.until = std::min(t.acked + lease, m.cap);
        if (m.until > now_.now_ns) continue;
        fail(m);
        m.due = never_ns;  // learnt from the record
      }
    queue_->on_tick(now_);
    for (message& m : all_)
      if (m.where == place::delayed && m.due <= now_.now_ns) m.where = place::ready, m.seen = 2;
  }

  void hand_off() {
    const consumer_id id = someone();
    if (!id || takers_[id].kind == consumer_kind::reliable) return;
    const range r = some_range();
    if (random_.chance(50)) {
      queue_->doubt(id, r);
      each(r, [&](std::uint64_t, message& m) {
        if (m.owner == id && (m.where == place::held)) m.where = place::doubt;
      });
    } else {
      queue_->settle(r, id);
      each(r, [&](std::uint64_t, message& m) {
        const bool its =
            m.where == place::held || m.where == place::doubt || m.where == place::open;
        if (m.owner == id && its) m.where = place::settled;
      });
    }
  }

  void leave() {
    const consumer_id id = someone();
    if (!id) return;
    const consumer_kind kind = takers_[id].kind;
    const bool says = leased(kind);
    if (says && random_.chance(50)) {
      queue_->lose(id, 0, now_);
      blame(id);
    } else {
      queue_->leave(id);
    }
    for (message& m : all_) {
      if (m.owner != id) continue;
      if (m.where == place::held && says) m.seen = 2;
      if (m.where == place::doubt) m.seen = 2;
      if (m.where == place::held || m.where == place::doubt || m.where == place::open)
        m.where = place::ready;
    }
    takers_.erase(id);
  }

  /// What a lost consumer was given first and still held has failed.
  void blame(consumer_id id) {
    message* first = nullptr;
    for (message& m : all_)
      if (m.owner == id && m.where == place::held && (!first || m.cap < first->cap)) first = &m;
    if (first) fail(*first);
  }

  void restart() {
    settle_turn();
    log_.sync();
    if (random_.chance(50)) {
      state_writer rows;
      rows.set_as_of(log_.next_position());
      queue_->snapshot(rows, now_);
      checkpoint_ = std::move(rows.bytes());
    }
    log_.crash();
    now_.now_ns = 1 + random_.below(1000) * second_ns;
    boot();
    released_ = 0;  // each life of the log is told anew
    state_reader row(checkpoint_);
    while (row.next()) {
      REQUIRE(row.u32() == 1);
      if (row.kind() == row_kind::queue_marks)
        queue_->restore_marks(row);
      else
        queue_->restore_row(row, row.as_of());
      REQUIRE(!row.failed());
    }
    std::uint64_t mark = 1;
    for (const fake_log::entry& e : log_.records()) {
      queue_->replay({e.head, e.body.bytes(), e.position});
      if (e.head.type == record_type::group_handout)
        mark = decode_group_handout(e.body.bytes())->through;
    }
    queue_->start(now_);
    visible_ = all_.size() + 1;
    handout_ = mark;
    takers_.clear();
    for (std::uint64_t s = 1; s <= all_.size(); ++s) {
      message& m = at(s);
      m.owner = 0;
      if (m.where == place::delayed) {
        m.due = m.due > last_now_ ? now_.now_ns + (m.due - last_now_) : now_.now_ns;
      } else if (m.where <= place::doubt) {
        m.where = m.failed ? place::delayed : place::ready;  // failed ones say so again
        m.seen = m.failed ? 2 : s < mark ? 1 : 0;
        m.due = now_.now_ns;  // its last delay is over
      }
    }
    tick();
  }
  void compare() {
    last_now_ = now_.now_ns;
    std::array<std::uint64_t, 9> counted{};
    for (const message& m : all_) ++counted[static_cast<std::size_t>(m.where)];
    struct {
      const std::array<std::uint64_t, 9>& of;
      std::uint64_t operator[](place p) const { return of[static_cast<std::size_t>(p)]; }
    } n{counted};
    const identity& c = queue_->counts();
    REQUIRE(c.in == all_.size());
    REQUIRE(c.in == c.sum());
    REQUIRE(c.ready == n[place::ready]);
    REQUIRE(c.in_flight == n[place::held] + n[place::open]);
    REQUIRE(c.in_doubt == n[place::doubt]);
    REQUIRE(c.delayed == n[place::delayed]);
    REQUIRE(c.acked == n[place::acked]);
    REQUIRE(c.settled == n[place::settled]);
    REQUIRE(c.dead == n[place::dead]);
    REQUIRE(c.dropped == n[place::dropped]);
    REQUIRE(released_ == c.acked + c.settled + c.dropped);  // the log was told, once a life
    const identity walked = queue_->audit();
    REQUIRE(walked.ready == c.ready);
    REQUIRE(walked.in_flight == c.in_flight);
    REQUIRE(walked.in_doubt == c.in_doubt);
    REQUIRE(walked.delayed == c.delayed);
    REQUIRE(walked.acked == c.acked + c.settled + c.dead + c.dropped);
  }

  random_source random_, jitter_{99};
  queue_limits limits_;
  std::vector<std::uint64_t> open_from_;
  instant now_{1000 * second_ns, 5000 * second_ns};
  std::uint64_t last_now_ = 0, visible_ = 1, handout_ = 1, released_ = 0;
  fake_log log_;
  outgoing out_;
  std::deque<awaited> waits_;
  std::unique_ptr<work_queue> queue_;
  std::vector<message> all_;
  std::map<consumer_id, taker> takers_;
  std::vector<std::byte> checkpoint_;
};

}  // namespace

TEST_CASE("a work queue is what the plainest queue would be, over random operations") {
  for (std::uint64_t seed = 1; seed <= 210; ++seed) {
    CAPTURE(seed);
    rig r(seed);
    r.run(1000);
  }
}
