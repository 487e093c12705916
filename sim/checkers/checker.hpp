// checker: one promise of the product, judged from what applications saw.
//
// Contract: shares no code with the product. Each verb is called before the fact is taken in; what
// breaks the promise is told to the judge, who keeps the first. A run ends with at_end().
#pragma once

#include <memory>

#include "sim/facts.hpp"

namespace holdfast::sim {

class judge;

/// A frame of a session, as it crossed the endpoint's border.
struct frame_seen {
  std::uint64_t line = 0;  ///< of the endpoint's socket
  bool to_device = false;
  const std::byte* head = nullptr;
  std::size_t size = 0;
  std::uint64_t now_ns = 0;
};

/// One stream, or one subscription of a stream, as the device's status shows it.
struct account {
  channel_kind channel = channel_kind::pipeline;
  std::string_view name;
  bool whole = true;  ///< a stream; false: a subscription of one
  std::uint64_t in = 0, sum = 0, acked = 0;
  std::uint64_t run = 0;  ///< of the device
  std::uint64_t now_ns = 0;
};

struct subscription_start {
  std::uint32_t subscription = 0;
  std::string_view topic;  ///< empty: everything
  bool durable = false, from_first = false;
  place at;  ///< the first sequence to come
  std::uint64_t now_ns = 0;
};

class checker {
 public:
  explicit checker(judge& to) : judge_(to) {}
  checker(const checker&) = delete;
  checker& operator=(const checker&) = delete;
  virtual ~checker() = default;

  virtual const char* name() const noexcept = 0;

  virtual void on_sent(const message_key&, channel_kind, std::uint64_t) {}
  virtual void on_accepted(const message_key&, promise, promise, std::uint64_t, std::uint64_t) {}
  virtual void on_given_up(const message_key&, std::uint64_t) {}
  virtual void on_delivered(const delivery&) {}
  /// The consumer is done with it; for a request: somebody replied.
  virtual void on_finished(const message_key&, std::uint64_t) {}
  /// The device has said that it knows; for a request: that a reply is stored.
  virtual void on_confirmed(const message_key&, promise, std::uint64_t, std::uint64_t) {}

  virtual void on_attached(const subscription_start&) {}
  virtual void on_gap(std::uint32_t, std::uint64_t, std::uint64_t, std::uint64_t) {}
  /// Everything up to a sequence is acked for good.
  virtual void on_passed(std::uint32_t, const place&, promise, std::uint64_t, std::uint64_t) {}
  virtual void on_subscription_ended(std::uint32_t) {}
  /// Another run of its application, or another connection of a run.
  virtual void on_subscriber_began(std::uint32_t) {}

  virtual void on_answered(const answer&) {}
  /// Nobody waits for this request's reply any more.
  virtual void on_abandoned(const message_key&) {}

  virtual void on_frame(const frame_seen&) {}
  virtual void on_account(const account&) {}
  virtual void on_recovery(bool, bool, std::uint64_t) {}
  virtual void on_power_lost(std::uint64_t) {}

  /// What this promise still waits for.
  virtual std::uint64_t open() const { return 0; }
  virtual void at_end(std::uint64_t) {}

 protected:
  void fail(std::string why, const message_key& about, std::uint64_t now) const;
  const facts& known() const;

 private:
  judge& judge_;
};

using checker_maker = std::unique_ptr<checker> (*)(judge&);
/// All of them, in the order they are asked.
struct checker_entry {
  const char* name;
  const char* promise;  ///< in words
  checker_maker make;
};
const std::vector<checker_entry>& checker_table();

std::unique_ptr<checker> make_survives(judge& to);
std::unique_ptr<checker> make_phantom(judge& to);
std::unique_ptr<checker> make_exact(judge& to);
std::unique_ptr<checker> make_levels(judge& to);
std::unique_ptr<checker> make_places(judge& to);
std::unique_ptr<checker> make_order(judge& to);
std::unique_ptr<checker> make_repeats(judge& to);
std::unique_ptr<checker> make_credit(judge& to);
std::unique_ptr<checker> make_after_ack(judge& to);
std::unique_ptr<checker> make_subscriptions(judge& to);
std::unique_ptr<checker> make_gaps(judge& to);
std::unique_ptr<checker> make_answers(judge& to);
std::unique_ptr<checker> make_expiry(judge& to);
std::unique_ptr<checker> make_accounts(judge& to);
std::unique_ptr<checker> make_damage(judge& to);

}  // namespace holdfast::sim
