// reqrep: the class behind make_reqrep(). Requests stand in a work queue a service; a reply is a
// message of the service's stream of replies, and its record is what finishes the request. Dialects
// speak for foreign peers; sessions of reliable ones are the front's.
//
// Contract: patterns/pattern.hpp. Cost of a turn: what was touched in it. A request has a row from
// its record to its reply's; a reply has one until it is acked, handed to its foreign client, or
// too old.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "patterns/queue/queue_set.hpp"
#include "patterns/queue/session_consumers.hpp"
#include "patterns/reqrep/mdp_dialect.hpp"
#include "patterns/reqrep/outlets.hpp"
#include "patterns/reqrep/plain_peers.hpp"
#include "patterns/reqrep/ready_workers.hpp"
#include "patterns/reqrep/reqrep_channel.hpp"
#include "patterns/reqrep/service.hpp"
#include "patterns/session/front.hpp"

namespace holdfast {

class reqrep final : public front, private exchange {
 public:
  reqrep(reqrep_options options, catalog& names, std::uint64_t seed);

  void restore(state_reader& rows) override;
  void replay(std::span<const record_view> records) override;
  void start(const step& now) override;

  void on_plain(std::span<plain_block> blocks, const step& now) override;
  void on_plain_joined(const plain_peer& peer, const step& now) override;
  void on_plain_report(const plain_report& report, const step& now) override;
  void on_plain_acks(std::span<const delivery_id> acks, const step& now) override;
  void on_peer_lost(peer_id peer, const step& now) override;
  bool awaits(const run& what) override;
  void on_cut(const cut& what, const step& now) override;
  void on_tick(const step& now) override;
  std::uint64_t next_deadline() const override;
  void take_ready(ready& out) override;
  bool snapshot(state_writer& rows, std::size_t budget) override;
  void report(channel_stats& out) const override;

  /// For tests and tools.
  template <class F>
  void for_each_queue(F&& f) {
    for (const auto& q : requests_.all()) f(*q);
    for (const auto& q : replies_.all()) f(*q);
  }
  template <class F>
  void for_each_service(F&& f) const {
    for (const service& of : services_) f(of);
  }
  const service* find_service(std::string_view name) const;

 private:
  using pending_row = std::map<std::uint64_t, request_row>::iterator;
  struct worker {
    worker_id id = 0;
    dialect* speaks = nullptr;
    peer_id peer = 0;
    std::string name;
    service* of = nullptr;
    consumer_id consumer = 0;
    dispatch_id given;  // stream 0: idle
  };
  struct deadline {
    std::uint64_t real_ns = 0;
    service* of = nullptr;
    std::uint64_t sequence = 0;
    bool operator>(const deadline& other) const noexcept { return real_ns > other.real_ns; }
  };
  struct visible_wait {
    ordinal after = 0;
    service* of = nullptr;
    range messages;
  };
  struct stored_at {
    service* of = nullptr;
    std::uint64_t sequence = 0;
  };
  struct held_reply {  // there was no room for it
    worker_id from = 0;
    std::uint16_t status = 0;
    std::vector<buffer_ref> parts;
    std::uint64_t bytes = 0;
  };
  struct held_frame {  // likewise
    std::uint32_t session = 0;
    reply_frame frame;
    buffer_ref body;
  };

  // reqrep_channel.cpp: services, and the turn.
  service* service_at(stream_id stream);
  service& open_service(const stream_def& requests, const stream_def& replies);
  service* service_named(std::string_view name);
  void define_service(const stream_def& requests);
  void expire_due();
  void seal(service& of);
  void seal_touched();
  void will_seal(service& of) {
    if (of.asked.empty() && of.answered.empty()) touched_.push_back(&of);
  }

  // reqrep_requests.cpp: what becomes of requests.
  ordinal append_block(append_item item, std::uint32_t voids) override;
  bool takes(stream_id stream, std::uint32_t count) const override;
  bool understands(stream_id stream, bytes_view first_part) const override;
  std::optional<std::uint16_t> bad_entry(stream_id stream, bytes_view body) const override;
  void read_entries(service& of, const record_head& head, bytes_view body);
  void on_repeat(service& of, std::uint64_t sequence, const request_key& key);
  void expire(service& of, pending_row at);
  void drop(service& of, std::uint64_t sequence);
  void end_unanswered(service& of, pending_row at, finish how, std::uint16_t status,
                      std::string_view why);
  void handle_failures();
  void on_failed(service& of, std::uint64_t sequence, const failed_run& f);
  void give_answer(service& of, pending_row at);
  void lose_request(service& of, std::uint64_t sequence);

  // exchange, in reqrep_workers.cpp.
  submitted submit(const foreign_request& r) override;
  worker_id worker_ready(worker_def w) override;
  void worker_gone(worker_id w) override;
  reply_outcome reply(worker_id w, std::uint16_t status,
                      std::span<const buffer_ref> parts) override;
  dispatch_id dispatched(worker_id w) const override;
  std::size_t workers_of(std::string_view service) const override;
  void send(peer_id to, buffer_ref envelope) override;
  void count_bad_frame() override { front::count_bad_frame(); }
  instant now() const override { return now_.at; }
  void take_back(worker& w);
  void free_worker(worker& w);
  void retry_held();
  void dispatch(const grant& g);
  frame_out deliver_to(const grant& g);
  std::uint64_t deadline_of(const run& what) const;
  dialect& behind(door from);

  // reqrep_replies.cpp: what becomes of replies.
  static finish finish_of(std::uint16_t status) noexcept;
  void store_reply(service& of, const request_row& row, std::uint64_t request, std::uint16_t status,
                   std::string_view by);
  void store_text(service& of, const request_row& row, std::uint64_t request, std::uint16_t status,
                  std::string_view text);
  void keep_reply(service& of, std::uint64_t sequence, const reply_row& row, std::uint64_t request);
  ordinal append_replies(service& of, append_item item);
  void seal_replies(service& of);
  void show_replies();
  void end_reply(service& of, std::uint64_t sequence, finish how);
  void close_replies(const session& s, service& of, const range& r);
  void expire_replies();
  void forget_closed();

  // reqrep_frames.cpp: reliable peers.
  void on_attach(const session& s, const attach& f) override;
  void on_session_frame(const session& s, frame_type type, const frame_in& frame) override;
  void on_raw(const frame_in& frame) override;
  void on_session_closed(const session& s) override;
  void on_progress() override;
  void take_room();
  void use_room(std::uint64_t bytes);
  void attach_replier(const session& s, service& of);
  void on_credit(const session& s, const frame_in& frame);
  void on_ack(const session& s, const frame_in& frame);
  void on_nack(const session& s, const frame_in& frame);
  void on_touch(const session& s, const frame_in& frame);
  void on_reply(const session& s, const frame_in& frame);
  void take_replies(const session& s, const reply_frame& f, const buffer_ref& body);
  void take_one_by_one(const session& s, const reply_frame& f, const buffer_ref& body);
  std::optional<finish> ending(const service& of, const reply_frame& f, bytes_view body) const;
  void store_replies(const session& s, const reply_frame& f, buffer_ref body, finish how);
  void tell(const session& s, stream_id stream, range requests, reply_outcome outcome,
            ordinal after);

  // reqrep_state.cpp
  void restore_queue(state_reader& rows);
  void replay_requests(service& of, const record_view& record);
  void replay_replies(service& of, const record_view& record);
  void settle_open_ends(service& of);

  reqrep_options options_;
  std::vector<failed_run> failures_;  // of the request queues, since they were last looked at
  queue_set requests_, replies_;
  std::deque<service> services_;
  std::unordered_map<stream_id, service*> by_stream_;  // both streams of each
  outlets outlets_;
  plain_peers plain_;
  ready_workers ready_;
  mdp_dialect mdp_;
  std::unordered_map<worker_id, worker> workers_;
  std::unordered_map<std::uint64_t, worker_id> by_token_;  // stream, consumer
  worker_id last_worker_ = 0;
  session_consumers consumers_;
  std::priority_queue<deadline, std::vector<deadline>, std::greater<>> deadlines_;
  std::deque<visible_wait> visible_waits_;
  std::vector<service*> touched_;  // have something packed
  std::deque<stored_at> by_age_;   // stored replies; closed and ended ones are passed over
  std::deque<stored_at> closed_by_age_;
  std::uint64_t stored_bytes_ = 0;
  std::deque<held_reply> held_replies_;
  std::deque<held_frame> held_frames_;
  std::vector<bytes_view> parts_;  // of what is packed now
  std::uint64_t room_ = 0;         // for requests, this turn
  std::uint64_t reply_room_ = 0;   // likewise for replies
  bool failed_ = false;            // the journal refuses writes
  std::uint64_t unanswered_ = 0;   // foreign requests that ended without a reply
  std::uint64_t rejected_ = 0;     // foreign requests there was no room for
  // How far a snapshot has come.
  std::uint8_t snapshot_stage_ = 0;
  std::size_t snapshot_service_ = 0;
  std::uint64_t snapshot_from_ = 0;
  bool snapshot_replies_ = false;
};

}  // namespace holdfast
