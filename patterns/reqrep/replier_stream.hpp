// replier_stream: the worker's end of one service: takes requests, one at a time unless more are
// granted, and answers each with its reply, which is the ack. The table is docs/wire_protocol.md,
// 1.9.
//
// Contract: sans-IO; the caller serialises calls. Taking, touching, handing back and rejecting are
// an assignment's. A reply belongs to the session its request came in: when that is lost before
// REPLIED, the request goes to another worker, and the reply is counted as lost.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "patterns/queue/assignment.hpp"
#include "patterns/reqrep/head.hpp"

namespace holdfast {

struct replier_stream_options {
  std::string service;                ///< empty: the channel's default
  std::string worker;                 ///< a name for people, at most 255 bytes
  std::uint32_t credit_messages = 1;  ///< requests here that are not answered
  std::uint64_t credit_bytes = 8ull << 20;
};

/// What a request is to its worker.
struct request_taken {
  delivered_run run;
  request_head head;
  bytes_view lengths, data;  ///< of the parts after the head
};

class replier_stream final : public client_stream {
 public:
  explicit replier_stream(replier_stream_options options);

  // Application's side.

  bool ready() const noexcept { return work_.ready(); }
  /// The next request. False when there is none.
  bool take(request_taken& into);
  /// `attempt` and `id`: as the request came. stale: its session is gone. not_found: answered
  /// before.
  status reply(const delivery_ticket& request, std::uint16_t attempt, const bytes16& id,
               std::uint16_t code, std::span<const bytes_view> parts, std::uint64_t time_ns);
  assignment& work() noexcept { return work_; }
  const assignment& work() const noexcept { return work_; }

  /// Replies the device has not confirmed.
  std::size_t unconfirmed() const noexcept { return waiting_.size(); }
  std::uint64_t stored() const noexcept { return stored_; }  ///< replies that became the reply
  std::uint64_t late() const noexcept { return late_; }      ///< somebody else had answered
  std::uint64_t lost() const noexcept { return lost_; }      ///< gone with their session
  const status& failure() const noexcept { return work_.failure(); }
  bool wants_to_send() const noexcept {
    return !packer_.empty() || sent_ < replies_.size() || work_.wants_to_send();
  }

  // Session's side.

  attach request() const override { return work_.request(); }
  void on_attached(const attached& f, const welcome& limits, instant at) override;
  void on_attach_refused(const attach_refused& f) override { work_.on_attach_refused(f); }
  void on_session_lost() override;
  bool on_frame(const client_input& in, instant at) override;
  void on_tick(instant at) override { work_.on_tick(at); }
  bool next(client_frame& out, std::uint32_t session, instant at) override;
  std::uint64_t next_deadline() const override { return work_.next_deadline(); }

 private:
  struct sealed_replies {
    reply_frame head;
    buffer_ref body;
  };
  bool goes_on(std::uint64_t sequence, std::uint16_t attempt) const noexcept;
  void seal();

  replier_stream_options options_;
  assignment work_;
  stream_id stream_ = no_stream;
  block_packer packer_;  // replies to requests that follow each other, as packed_ says
  reply_frame packed_;
  std::vector<sealed_replies> replies_;  // to send, from sent_ on
  std::size_t sent_ = 0;
  std::set<std::uint64_t> waiting_;  // requests without REPLIED
  std::uint64_t stored_ = 0, late_ = 0, lost_ = 0;
};

}  // namespace holdfast
