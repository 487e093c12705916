// mdp_rig: Majordomo peers at a device: peers are numbers, multiparts are lists of strings. What
// stands behind them is either the whole request-reply channel on a log in memory, driven as a
// device's loop would, or the dialect alone on a naive core (lists, nothing durable). What clients
// and workers say is written from the protocol, not with the dialect's own encoders.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "patterns/block.hpp"
#include "patterns/envelope.hpp"
#include "patterns/reqrep/reqrep.hpp"
#include "tests/patterns/fake_log.hpp"

namespace holdfast {

using multipart = std::vector<std::string>;

inline std::string text_of(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline buffer_ref buffer_of(const std::string& text) {
  return copy_to_buffer(as_bytes_view(text.data(), text.size()));
}
inline multipart parts_of(const buffer_ref& envelope) {
  multipart made;
  for_each_envelope_part(envelope.bytes(), [&](bytes_view p) { made.push_back(text_of(p)); });
  return made;
}
inline multipart joined(multipart front, const multipart& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

// What peers say, and what they are told.
inline const std::string nothing, mdpc = "MDPC01", mdpw = "MDPW01";
inline multipart request_to(const std::string& service, const multipart& body) {
  return joined({nothing, mdpc, service}, body);
}
inline multipart reply_from(const std::string& service, const multipart& body) {
  return joined({nothing, mdpc, service}, body);
}
inline multipart ready_for(const std::string& service) {
  return {nothing, mdpw, "\x01", service};
}
inline multipart answer_to(const std::string& client, const multipart& body) {
  return joined({nothing, mdpw, "\x03", client, nothing}, body);
}
inline const multipart heartbeat{nothing, mdpw, "\x04"}, disconnect{nothing, mdpw, "\x05"};

class naive_exchange final : public exchange {
 public:
  submitted submit(const foreign_request& r) override {
    pending kept{r.client, std::string(r.service), parts_of(r.reply_envelope), {}, 0, 1};
    for (const buffer_ref& part : r.body) kept.body.push_back(text_of(part.bytes()));
    kept.sequence = ++requests;
    waiting.push_back(std::move(kept));
    return submitted::stored;
  }
  worker_id worker_ready(worker_def w) override {
    workers.push_back({++last_worker, w.speaks, w.peer, std::string(w.service), w.busy_ns, {}, 0});
    return last_worker;
  }
  void worker_gone(worker_id id) override {
    workers.remove_if([&](worker& w) {
      if (w.id != id) return false;
      if (w.held.sequence) again(w.held);
      return true;
    });
  }
  reply_outcome reply(worker_id id, std::uint16_t, std::span<const buffer_ref> parts) override {
    worker& w = *find(id);
    multipart whole = w.held.envelope;
    for (const buffer_ref& part : parts) whole.push_back(text_of(part.bytes()));
    sent[w.held.client].push_back(std::move(whole));
    w.held = {};
    workers.splice(workers.end(), workers, find(id));
    return reply_outcome::stored;
  }
  dispatch_id dispatched(worker_id id) const override {
    for (const worker& w : workers)
      if (w.id == id && w.held.sequence) return id_of(w.held);
    return {};
  }
  std::size_t workers_of(std::string_view service) const override {
    std::size_t count = 0;
    for (const worker& w : workers) count += w.service == service;
    return count;
  }
  void send(peer_id to, buffer_ref envelope) override { sent[to].push_back(parts_of(envelope)); }
  void count_bad_frame() override { ++bad_frames; }
  instant now() const override { return at; }

  /// Gives what waits to who is idle, and takes it from who is overdue.
  void turn() {
    for (auto w = workers.begin(); w != workers.end();) {
      const worker one = *w++;
      if (one.held.sequence && one.due_ns <= at.now_ns) one.speaks->on_overdue(one.id, one.peer);
    }
    for (worker& w : workers) {
      if (w.held.sequence) continue;
      const auto next = std::find_if(waiting.begin(), waiting.end(),
                                     [&](const pending& p) { return p.service == w.service; });
      if (next == waiting.end()) continue;
      w.held = std::move(*next);
      w.due_ns = at.now_ns + w.busy_ns;
      waiting.erase(next);
      sent[w.peer].push_back(
          joined(parts_of(w.speaks->request_envelope(w.peer, id_of(w.held))), w.held.body));
    }
  }

  struct pending {
    peer_id client = 0;
    std::string service;
    multipart envelope, body;
    std::uint64_t sequence = 0;
    std::uint16_t attempt = 1;
  };
  struct worker {
    worker_id id = 0;
    dialect* speaks = nullptr;
    peer_id peer = 0;
    std::string service;
    std::uint64_t busy_ns = 0;
    pending held;
    std::uint64_t due_ns = 0;
  };

  instant at{1'000 * second_ns, 1'700'000'000ull * second_ns};
  std::list<worker> workers;  // who waited longest for a request first
  std::deque<pending> waiting;
  std::map<peer_id, std::vector<multipart>> sent;
  std::uint64_t bad_frames = 0, requests = 0;
  worker_id last_worker = 0;

 private:
  static dispatch_id id_of(const pending& p) { return {7, 1, p.attempt, p.sequence}; }
  std::list<worker>::iterator find(worker_id id) {
    return std::find_if(workers.begin(), workers.end(),
                        [&](const worker& w) { return w.id == id; });
  }
  void again(pending p) {
    ++p.attempt;
    waiting.push_front(std::move(p));
  }
};

/// The dialect alone. Its checks can be taken out.
class dialect_bench {
 public:
  explicit dialect_bench(mdp_options options = {}, mdp_planted planted = {})
      : dialect_(options, core_, planted) {}

  void on_frame(const frame_in& frame) {
    dialect_.on_frame(frame);
    core_.turn();
  }
  void on_lost(peer_id peer) {
    dialect_.on_peer_lost(peer);
    core_.turn();
  }
  void tick() {
    dialect_.on_tick();
    core_.turn();
  }
  std::uint64_t next_deadline() const {
    std::uint64_t next = dialect_.next_deadline();
    for (const auto& w : core_.workers)
      if (w.held.sequence) next = std::min(next, w.due_ns);
    return next;
  }
  instant& at() { return core_.at; }
  std::map<peer_id, std::vector<multipart>>& sent() { return core_.sent; }
  std::uint64_t bad_frames() const { return core_.bad_frames; }
  std::uint64_t requests() const { return core_.requests; }
  std::size_t workers() const {
    check(dialect_.workers() == core_.workers.size(), "both know the same workers");
    return core_.workers.size();
  }

 private:
  naive_exchange core_;
  mdp_dialect dialect_;
};

/// The whole channel.
class channel_bench {
 public:
  explicit channel_bench(mdp_options options = {}) : channel_(options_from(options), names_, 1) {
    channel_.start(now());
    turn();
  }

  void on_frame(const frame_in& frame) {
    channel_.on_frames({&frame, 1}, now());
    turn();
  }
  void on_lost(peer_id peer) {
    channel_.on_peer_lost(peer, now());
    turn();
  }
  void tick() {
    channel_.on_tick(now());
    turn();
  }
  std::uint64_t next_deadline() const { return channel_.next_deadline(); }
  instant& at() { return at_; }
  std::map<peer_id, std::vector<multipart>>& sent() { return sent_; }
  std::uint64_t bad_frames() const { return stats().bad_frames; }
  std::uint64_t requests() const {
    std::uint64_t sum = 0;
    for (const stream_stats& s : stats().streams)
      if (!s.address.ends_with(".reply")) sum += s.counts.in;
    return sum;
  }
  std::size_t workers() const {
    std::size_t sum = 0;
    for (const stream_stats& s : stats().streams) sum += s.consumers.size();
    return sum;
  }
  channel_stats stats() const {
    channel_stats made;
    channel_.report(made);
    for (const stream_stats& s : made.streams)
      check(s.counts.in == s.counts.sum(), "every message is accounted for");
    return made;
  }

 private:
  static reqrep_options options_from(const mdp_options& m) {
    reqrep_options o;
    o.worker_heartbeat_ms = static_cast<std::uint32_t>(m.heartbeat_ns / ms_ns);
    o.worker_liveness = m.liveness;
    o.worker_busy_ns = m.busy_ns;
    o.sessions_max = m.workers_max;
    o.deadline_ns = 3600 * second_ns;
    return o;
  }
  step now() const {
    step s;
    s.at = at_;
    s.available = {1 << 30, 1 << 20, 1 << 30, false};
    s.log = log_.progress();
    return s;
  }
  /// Carries out what the channel asks for until nothing comes; all of it is durable at once.
  void turn() {
    for (bool again = true; again;) {
      ready asked;
      channel_.take_ready(asked);
      again = !asked.empty();
      if (!asked.records.empty()) channel_.on_appended(log_.append(asked.records));
      for (const frame_out& frame : asked.frames) carry_out(frame);
      if (log_.unsynced() == 0) continue;
      log_.sync();
      channel_.on_tick(now());
      again = true;
    }
  }
  void carry_out(const frame_out& frame) {
    check(frame.form == frame_form::enveloped, "Majordomo peers are sent envelopes");
    const auto* what = std::get_if<run>(&frame.body);
    if (!what) return sent_[frame.to].push_back(parts_of(frame.envelope));
    cut done;
    done.token = what->token;
    for (; done.count < what->count; ++done.count, ++done.sent) {
      done.last_sent = what->first + done.count;
      sent_[frame.to].push_back(joined(parts_of(frame.envelope), parts_at(*what, done.last_sent)));
    }
    channel_.on_cut(done, now());
  }
  multipart parts_at(const run& what, std::uint64_t sequence) const {
    const fake_log::entry* block = log_.find(what.stream, sequence);
    check(block != nullptr, "a run names messages that are in the log");
    entry_walker walker(block->body.bytes());
    entry e;
    for (std::uint64_t at = block->head.first_sequence; walker.next(e) && at < sequence;) ++at;
    multipart made;
    for (std::size_t i = what.skip_parts; i < e.parts(); ++i) made.push_back(text_of(e.part(i)));
    return made;
  }

  instant at_{1'000 * second_ns, 1'700'000'000ull * second_ns};
  fake_log log_;
  catalog names_;
  reqrep channel_;
  std::map<peer_id, std::vector<multipart>> sent_;
};

template <class Bench>
class mdp_rig {
 public:
  template <class... Options>
  explicit mdp_rig(const Options&... options) : bench_(options...) {}

  void send(peer_id from, const multipart& message) {
    std::vector<buffer_ref> rest;
    for (std::size_t i = 1; i < message.size(); ++i) rest.push_back(buffer_of(message[i]));
    frame_in frame;
    frame.from = from;
    frame.head = buffer_of(message.front());
    frame.parts = rest;
    frame.from_door = door::mdp;
    bench_.on_frame(frame);
  }
  void lose(peer_id peer) { bench_.on_lost(peer); }
  /// Time goes on, by the deadlines on the way.
  void pass(std::uint64_t ns) {
    instant& at = bench_.at();
    const std::uint64_t until = at.now_ns + ns;
    for (bool more = true; more;) {
      const std::uint64_t next = std::max(bench_.next_deadline(), at.now_ns);
      more = next <= until;
      const std::uint64_t step = std::min(next, until) - at.now_ns;
      at.now_ns += step;
      at.real_ns += step;
      bench_.tick();
    }
  }
  /// What this peer was sent since it was asked last, heartbeats left out.
  std::vector<multipart> take(peer_id peer) {
    sift(peer);
    return std::exchange(bench_.sent()[peer], {});
  }
  std::size_t take_beats(peer_id peer) {
    sift(peer);
    return std::exchange(beats_[peer], 0);
  }
  /// The client address of the one request this worker was sent.
  std::string take_request(peer_id worker, const multipart& body) {
    const std::vector<multipart> got = take(worker);
    if (got.size() != 1 || got[0].size() < 5) return "no request";
    const std::string client = got[0][3];
    return got[0] == joined({nothing, mdpw, "\x02", client, nothing}, body) ? client
                                                                            : "another request";
  }
  std::string mmi(const std::string& service) {
    constexpr peer_id asker = 9999;
    send(asker, request_to("mmi.service", {service}));
    const std::vector<multipart> got = take(asker);
    return got.size() == 1 && got[0].size() == 4 ? got[0][3] : "no answer";
  }
  std::uint64_t bad_frames() const { return bench_.bad_frames(); }
  std::uint64_t requests() const { return bench_.requests(); }
  std::size_t workers() const { return bench_.workers(); }

 private:
  void sift(peer_id peer) {
    beats_[peer] +=
        std::erase_if(bench_.sent()[peer], [](const multipart& m) { return m == heartbeat; });
  }

  Bench bench_;
  std::map<peer_id, std::size_t> beats_;
};

using dialect_rig = mdp_rig<dialect_bench>;
using channel_rig = mdp_rig<channel_bench>;

// A test case for both.
#define SITUATION(name) TEST_CASE_TEMPLATE(name, rig_type, dialect_rig, channel_rig)

}  // namespace holdfast
