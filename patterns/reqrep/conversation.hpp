// conversation: a requester's end of one service: requests leave through an outbox, replies come
// back by a stream of their own, matched by the request's id. A request that was taken by the
// outbox reaches the service once, whatever happens to the sessions; asking again with an id the
// device knows brings the same execution's reply. The table is docs/wire_protocol.md, 1.8.
//
// Contract: sans-IO; the caller serialises calls. Two streams of one session: sending() and
// answers(). A reply is acked when it is taken, or, with `keep`, when it is forgotten: until then
// the device keeps it. With `keep` or a name, replies that come before their id is asked (of an
// earlier run) wait for that, early_max of them; the oldest go. Limits: the outbox's window;
// requests_max not answered.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "patterns/outbox.hpp"
#include "patterns/queue/assignment.hpp"
#include "patterns/reqrep/head.hpp"

namespace holdfast {

struct conversation_options {
  std::string service;  ///< empty: the channel's default
  level need = level::disk;
  bool named = false;  ///< the requester has a name: see outbox_options
  bool keep = false;   ///< a reply is acked by forget(), not when it is taken
  std::uint32_t requests_max = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
  std::uint64_t max_message = 256ull << 20;
};

struct request_terms {
  bytes16 id{};
  std::uint64_t deadline_ns = never_ns;  ///< monotonic: nobody waits longer here
  std::uint64_t deadline_ms = 0;         ///< unix: as the device is told; 0 = the channel's
  std::uint16_t attempts_max = 0;        ///< 0 = the channel's
};

/// A reply: the message after its head.
struct reply_taken {
  std::uint16_t status = 0;
  std::uint64_t sequence = 0;  ///< of the request in its service
  std::shared_ptr<const buffer_ref> body;
  bytes_view lengths, data;  ///< of the parts after the head
};

class conversation {
 public:
  explicit conversation(const conversation_options& options);
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  client_stream& sending() noexcept { return outbox_; }
  client_stream& answers() noexcept { return answers_; }

  /// Errors: would_block (too much is on its way), too_large, invalid, in_use (this id is asked
  /// already), and why nothing can be asked here any more.
  status ask(const request_terms& terms, std::span<const bytes_view> parts, instant at);
  /// The reply, once; its request is closed by that (with `keep` by forget()). would_block: not
  /// yet. expired: the deadline passed. not_found: no such request. Else: why there will be none.
  result<reply_taken> take(const bytes16& id, instant at);
  /// Nobody waits for it any more; its reply is acked, now or when it comes.
  void forget(const bytes16& id);

  /// When nobody waits for its reply any more, monotonic; 0 if nobody does.
  std::uint64_t deadline_ns(const bytes16& id) const noexcept;
  /// Waiting for replies, or with a reply that was not taken.
  std::size_t open() const noexcept { return pending_.size(); }
  /// An answered request nobody has taken; the oldest first.
  std::optional<bytes16> next_answered() const;
  /// True when every request left, and every ack of a reply is durable at the device.
  bool settled() const noexcept { return outbox_.outstanding() == 0 && acks_.acks_durable(); }
  void hurry() noexcept { acks_.hurry(); }
  /// The first message waits for nobody: worth sending at once.
  bool idle() const noexcept { return outbox_.outstanding() == 0; }
  bool wants_to_send() const noexcept { return outbox_.wants_to_send() || acks_.wants_to_send(); }
  const status& failure() const noexcept {
    return outbox_.failure().ok() ? acks_.failure() : outbox_.failure();
  }

 private:
  // The stream of replies: an assignment that is emptied whenever something came.
  class answer_stream final : public client_stream {
   public:
    explicit answer_stream(conversation& of) : of_(of) {}
    attach request() const override { return of_.acks_.request(); }
    void on_attached(const attached& f, const welcome& limits, instant at) override {
      of_.acks_.on_attached(f, limits, at);
    }
    void on_attach_refused(const attach_refused& f) override { of_.acks_.on_attach_refused(f); }
    void on_session_lost() override { of_.acks_.on_session_lost(); }
    bool on_frame(const client_input& in, instant at) override {
      const bool taken = of_.acks_.on_frame(in, at);
      of_.drain();
      return taken;
    }
    void on_tick(instant at) override { of_.acks_.on_tick(at); }
    bool next(client_frame& out, std::uint32_t session, instant at) override {
      return of_.acks_.next(out, session, at);
    }
    std::uint64_t next_deadline() const override { return of_.acks_.next_deadline(); }

   private:
    conversation& of_;
  };

  struct pending {
    std::uint64_t number = 0;  // in the outbox
    std::uint64_t deadline_ns = never_ns;
    std::uint64_t order = 0;  // of the reply; 0: none yet
    delivery_ticket ticket;
    reply_taken reply;
    status refused;
  };

  struct early {
    std::uint64_t order = 0;
    delivery_ticket ticket;
    reply_taken reply;
  };

  void drain();
  bool was_forgotten(const bytes16& id) const { return forgotten_.contains(id); }
  bool claim_early(const request_terms& terms);
  void remember(const bytes16& id);
  void keep_early(const bytes16& id, const delivery_ticket& at, reply_taken reply);
  void sort_out_rejections();

  outbox outbox_;
  assignment acks_;
  answer_stream answers_{*this};
  std::uint32_t requests_max_;
  bool keep_, keeps_early_;
  std::map<bytes16, pending> pending_;
  std::map<std::uint64_t, bytes16> in_order_;        // answered and not taken
  std::set<bytes16> forgotten_;                      // taken or given up here: may come again
  std::deque<bytes16> forgotten_in_order_;           // the oldest go
  std::map<bytes16, early> early_;                   // of an earlier run, not asked here yet
  std::map<std::uint64_t, bytes16> early_in_order_;  // as they came
  std::uint64_t next_order_ = 1;
};

}  // namespace holdfast
