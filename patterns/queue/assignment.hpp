// assignment: the worker's end of one queue: grants credit, takes deliveries in the order they
// come, verifies what the producer wrote, holds what is not settled yet, and gathers acks into
// ranges, for 2 ms at most while there is more to take.
//
// Contract: sans-IO; the caller serialises calls (the application takes and settles, the session
// drives the rest). A delivery belongs to the session it came in: when that is lost, what was not
// taken is dropped, and settling what was taken is `stale`, because the device hands it out again.
// Void entries are acked unseen; entries whose sums do not hold are nacked unseen. Limits: credit
// in messages not settled and bytes not taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "patterns/client_stream.hpp"
#include "patterns/delivery_buffer.hpp"

namespace holdfast {

struct assignment_options {
  std::string address;  ///< empty: the channel's default
  attach_role role = attach_role::consume;
  /// Batch: whole blocks, sums of bodies. One message: runs cut to the credit, sums of entries.
  bool whole_blocks = true;
  std::uint32_t credit_messages = 16'384;  ///< one-message workers: 256 is the usual grant
  std::uint64_t credit_bytes = 8ull << 20;
};

class assignment final : public client_stream {
 public:
  explicit assignment(assignment_options options) : options_(std::move(options)) {}

  // Application's side.

  bool ready() const noexcept { return !buffer_.empty(); }
  /// The next message. False when there is none.
  bool take(delivered_run& run, entry& message);
  /// All that is left of the next frame; void entries in it are acked. False when there is none.
  bool take_run(delivered_run& run);

  status acked(const delivery_ticket& message);
  /// Acks what is not settled of `count` messages from `first` on; stale when none can be.
  status acked(const delivery_ticket& first, std::uint16_t count);
  /// Nack, release or reject: `delay_ms` 0 = the device's back-off.
  status refused(const delivery_ticket& message, nack_kind kind, std::uint64_t delay_ms,
                 std::string reason);
  status touched(const delivery_ticket& message, std::uint64_t extend_ms);
  /// Settled by something else than an ack (a reply): frees its place. Returns its sequence.
  result<std::uint64_t> let_go(const delivery_ticket& message);

  /// True when every ack given so far is durable at the device.
  bool acks_durable() const noexcept;
  /// True if acks were lost with their session before they were durable, since the last call.
  bool take_acks_lost() noexcept { return std::exchange(acks_lost_, false); }
  std::uint64_t unsettled() const noexcept { return unsettled_; }
  std::uint64_t corrupt() const noexcept { return corrupt_; }
  std::uint32_t lease_ms() const noexcept { return lease_ms_; }
  const status& failure() const noexcept { return failure_; }
  bool wants_to_send() const noexcept;
  /// The acks gathered so far leave without waiting for more.
  void hurry() noexcept { hurry_ = true; }

  // Session's side.

  attach request() const override;
  void on_attached(const attached& f, const welcome& limits, instant at) override;
  void on_attach_refused(const attach_refused& f) override;
  void on_session_lost() override;
  bool on_frame(const client_input& in, instant at) override;
  void on_tick(instant at) override;
  bool next(client_frame& out, std::uint32_t session, instant at) override;
  std::uint64_t next_deadline() const override { return acks_due_ns_; }

 private:
  // A received frame of which some message is not settled.
  struct held {
    std::uint64_t serial = 0;  // 0: free
    std::uint64_t first = 0;
    std::uint16_t count = 0, open = 0;
    std::vector<std::uint64_t> settled;  // a bit a message
  };

  bool on_deliver(const client_input& in);
  std::uint32_t hold(const deliver& f);
  held* find(const delivery_ticket& message);
  bool settle(held& h, std::uint32_t slot, std::uint32_t index) {
    return settle_run(h, slot, index, index + 1) == 1;
  }
  std::uint32_t settle_run(held& h, std::uint32_t slot, std::uint32_t index, std::uint32_t end);
  status not_held(const delivery_ticket& message) const;
  void skip_voids();
  void ack_voids(const delivered_run& run);
  void add_acks(std::uint64_t sequence, std::uint32_t count);
  bool credit_due() const noexcept;
  bool acks_leave() const noexcept;
  void send_acks(client_frame& out, std::uint32_t session);

  assignment_options options_;
  status failure_;
  stream_id stream_ = no_stream;  // 0: no session
  delivery_buffer buffer_;
  std::vector<held> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<range> acks_;     // gathered since the last ack frame
  std::uint64_t gathered_ = 0;  // messages in acks_
  std::uint64_t acks_due_ns_ = never_ns;
  std::vector<nack> nacks_;
  std::vector<touch> touches_;
  std::uint64_t next_serial_ = 1, session_serial_ = 1;  // serials below belong to lost sessions
  std::uint64_t settled_ = 0;                           // in this session: the credit grows by it
  std::uint64_t granted_messages_ = 0, granted_bytes_ = 0;
  std::uint64_t ack_number_ = 0, ack_through_ = 0;
  std::uint64_t unsettled_ = 0, corrupt_ = 0;
  bool acks_lost_ = false, hurry_ = false;
  std::uint32_t lease_ms_ = 0;
};

}  // namespace holdfast
