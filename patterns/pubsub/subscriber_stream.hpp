// subscriber_stream: the subscriber's end of one subscription: grants credit, shows messages in
// their order, each once, and says with cumulative acks how far it is. A session that is lost
// leaves neither a gap nor a repetition: the next one goes on behind what was received. The table
// is docs/wire_protocol.md, 1.7.
//
// Contract: sans-IO; the caller serialises calls (the application takes and acks, the session
// drives the rest). Sequences rise; numbers left out between two messages are messages of other
// topics, unless a gap notice names them. Limits: credit in messages and bytes not taken.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "patterns/client_stream.hpp"
#include "patterns/delivery_buffer.hpp"

namespace holdfast {

struct subscriber_stream_options {
  std::string durable;  ///< name of the subscription; empty: it lives as long as this object
  start_at start = start_at::next;
  std::uint64_t at = 0;               ///< for start sequence and time
  std::vector<std::string> prefixes;  ///< of the first part; none: everything
  std::uint32_t credit_messages = 16'384;
  std::uint64_t credit_bytes = 8ull << 20;
};

class subscriber_stream final : public client_stream {
 public:
  explicit subscriber_stream(subscriber_stream_options options) : options_(std::move(options)) {}

  // Application's side.

  bool ready() const noexcept { return !buffer_.empty(); }
  /// Messages or gaps came that were not taken.
  bool worth_a_look() const noexcept { return ready() || gaps() > 0; }
  /// The next message. False when there is none.
  bool take(delivered_run& run, entry& message);
  /// All that is left of the next frame. False when there is none.
  bool take_run(delivered_run& run);

  /// Everything up to `sequence` is done with. Only durable subscriptions tell the device.
  status acked_through(std::uint64_t sequence);
  /// True when the device has the last ack for good.
  bool acks_durable() const noexcept { return confirmed_ >= acked_; }
  /// The ack gathered so far leaves without waiting for more.
  void hurry() noexcept { hurry_ = true; }

  /// Sequence behind the last message taken; 0 before the first ATTACHED.
  std::uint64_t position() const noexcept { return position_; }
  /// Messages that will never come, in order, since the last call. A gap that was taken is acked
  /// with the message before it.
  std::vector<gap> take_gaps();
  std::size_t gaps() const noexcept { return gaps_.size(); }
  const status& failure() const noexcept { return failure_; }
  bool wants_to_send() const noexcept;

  // Session's side.

  attach request() const override;
  void on_attached(const attached& f, const welcome& limits, instant at) override;
  void on_attach_refused(const attach_refused& f) override;
  void on_session_lost() override;
  bool on_frame(const client_input& in, instant at) override;
  void on_tick(instant at) override;
  bool next(client_frame& out, std::uint32_t session, instant at) override;
  std::uint64_t next_deadline() const override { return ack_due_ns_; }
  bool wants_new_session() const override { return reread_; }

 private:
  struct sent_ack {
    std::uint64_t number = 0, through = 0;
  };
  /// A gap to be acked once it was taken and what stands before it is acked.
  struct open_gap {
    std::uint64_t before = 0, through = 0;
    bool taken = false;
  };

  bool durable() const noexcept { return !options_.durable.empty(); }
  bool on_deliver(const client_input& in);
  bool on_corrupt(const deliver& f, std::uint64_t bytes);
  void on_gap(range lost, gap_cause cause);
  void pass_gaps();
  void skip_voids();
  void begin_again_at(std::uint64_t sequence);
  bool ack_leaves() const noexcept;
  bool credit_due() const noexcept;
  std::uint64_t messages_grantable() const noexcept;
  std::uint64_t bytes_grantable() const noexcept;

  subscriber_stream_options options_;
  status failure_;
  stream_id stream_ = no_stream;  // 0: no session
  delivery_buffer buffer_;
  std::vector<gap> gaps_;
  std::deque<open_gap> open_gaps_;  // of a durable subscription
  std::vector<sent_ack> sent_acks_;
  std::uint32_t epoch_ = 0;      // of the stream
  std::uint64_t next_ = 0;       // what the device sends next; 0: not known
  std::uint64_t position_ = 0;   // the first not taken
  std::uint64_t acked_ = 0;      // all up to here, by the application
  std::uint64_t told_ = 0;       // in this session
  std::uint64_t confirmed_ = 0;  // durable at the device
  std::uint64_t ack_number_ = 0, ack_due_ns_ = never_ns;
  std::uint64_t received_ = 0, taken_ = 0;            // messages, over all sessions
  std::uint64_t base_messages_ = 0, base_bytes_ = 0;  // received before this session
  std::uint64_t received_bytes_ = 0;
  std::uint64_t granted_messages_ = 0, granted_bytes_ = 0;  // in this session
  std::uint64_t corrupt_at_ = 0;                            // where sums did not hold the last time
  bool hurry_ = false, reread_ = false;
};

}  // namespace holdfast
