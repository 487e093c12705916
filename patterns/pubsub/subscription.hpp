// subscription: one cursor in a pub/sub stream. It knows what was sent and not confirmed, so that a
// taker which goes away leaves it where everything below is done.
//
//   born ..... floor ............. next ............ the stream's end
//     done       sent, not confirmed    ahead
//
// A taker that acks is told what will never come, and that stands until it is acked as well: a
// notice lost with its session is told again in the next one.
//
// Contract: sans-IO, one thread. Sequences are dense; a run may pass over messages that the filter
// does not want: they are done once everything sent before them is confirmed. Credit counts what
// was sent. Where a confirmation ends inside a run with messages left out, the floor is exact, the
// split of what was acked and what passed over only once the whole run is done.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "patterns/pattern.hpp"
#include "patterns/pubsub/history.hpp"
#include "patterns/pubsub/records.hpp"

namespace holdfast {

/// Who gets a subscription's messages.
struct taker {
  std::uint32_t session = 0;  ///< 0: a plain peer
  peer_id peer = 0;
  bool simple = false;
  std::string name;  ///< for people
};

class subscription {
 public:
  /// Messages one run may look through for those that match.
  static constexpr std::uint32_t scan_run = 64 * 1024;

  /// `kind`: for people. No prefix: it wants nothing; the empty one: everything.
  subscription(std::uint32_t number, std::string kind, std::string name, std::uint64_t born,
               std::uint64_t since_ns, std::vector<std::string> prefixes);

  std::uint32_t number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& kind() const noexcept { return kind_; }
  /// Has a name and outlives its taker.
  bool durable() const noexcept { return !name_.empty(); }
  std::uint64_t born() const noexcept { return born_; }
  std::uint64_t floor() const noexcept { return floor_; }
  std::uint64_t next() const noexcept { return next_; }

  const std::vector<std::string>& prefixes() const noexcept { return filter_->prefixes(); }
  /// Holds for what is not sent yet. True if that changed anything.
  bool want(std::vector<std::string> prefixes);

  // The taker. Credit begins anew with each.
  void attach(taker who);
  /// What was sent and not confirmed lies ahead again.
  void detach();
  bool attached() const noexcept { return attached_; }
  const taker& to() const noexcept { return taker_; }
  /// Of the runs for this taker; the number is its low half.
  std::uint64_t token() const noexcept { return std::uint64_t{generation_} << 32 | number_; }
  /// Nothing leaves while it is held.
  void hold(bool held) noexcept { held_ = held; }
  /// Messages below are passed over if they are not sent yet.
  void skip_to(std::uint64_t end) noexcept { skip_to_ = std::max(skip_to_, end); }
  /// Messages that were sent and not confirmed are sent again.
  void send_again();
  void set_credit(std::uint64_t messages_total, std::uint64_t bytes_total, bool whole) noexcept;

  /// What is ahead and no longer kept: it will never come, and counts as dropped from here on.
  std::optional<range> lost_below(std::uint64_t lowest);
  /// The next run to send; empty when nothing is ahead or the taker takes no more.
  std::optional<run> next_run(stream_id stream, std::uint64_t visible);
  /// 0 no, 1 maybe, 2 yes: whether the run that begins here was sent before.
  std::uint8_t redelivered(std::uint64_t first) const noexcept;
  /// What became of a run. Returns the messages that will never come.
  range on_cut(const cut& what);
  /// What became of a run that was under way when the cursor moved: it costs credit all the same.
  void on_overtaken_cut(const cut& what) noexcept;
  /// The last run came back untouched: it is asked for again. True if so.
  bool wake() noexcept { return std::exchange(stalled_, false); }

  // Confirmations.
  void ack(std::uint64_t end);
  void doubt(std::uint64_t sent) noexcept { in_doubt_ += sent; }
  void settle(std::uint64_t sent);

  // State.
  subscription_def_record definition() const;
  subscription_ack_record progress() const;
  /// The floor as it was last asked to be recorded.
  std::uint64_t noted() const noexcept { return noted_; }
  void note() noexcept { noted_ = floor_; }
  void restore(const subscription_ack_record& r, std::uint64_t as_of);
  /// Replay: an ack record, unless what is known is newer.
  void replay(const subscription_ack_record& r);
  void replay(const subscription_def_record& r) { want(r.prefixes); }
  std::uint64_t as_of() const noexcept { return as_of_; }
  /// After replay: what lies below `next` may have been sent before the stop.
  void start(std::uint64_t next) noexcept { maybe_below_ = next; }

  identity counts(const history& kept) const;
  void report(group_stats& into, const history& kept) const;

  bool dirty = false;    ///< the owner's mark: stands in its list of those to look at
  bool touched = false;  ///< the owner's mark: its floor is to be recorded

 private:
  struct figures {
    std::uint64_t acked = 0, settled = 0, passed = 0, dropped = 0;
  };
  /// Consecutive messages that were taken: `sent` of them left and are not confirmed.
  struct piece {
    std::uint64_t first, end;
    std::uint64_t sent, passed, dropped;
    std::uint64_t settled;  // left, confirmed before the floor could move
    std::uint64_t last;     // sequence: confirmed, the piece is done; 0: nothing to wait for
    bool dense() const noexcept { return sent != 0 && sent == last - first + 1; }
  };
  /// A run whose cost is not known yet: another one might exceed the credit.
  bool under_way() const noexcept { return open_ || overtaken_ != 0; }
  void add(piece made);
  void drop(range lost);
  void skip();
  void finish(piece& p, std::uint64_t figures::*how);
  void leap(std::uint64_t end);
  void overtake() noexcept;
  void pay(const cut& what) noexcept;
  std::uint64_t room() const noexcept {
    return messages_total_ > messages_taken_ ? messages_total_ - messages_taken_ : 0;
  }
  /// Somebody says what has arrived: a plain peer's hand-offs, or acks.
  bool confirmed() const noexcept { return taker_.session == 0 || durable(); }
  bool acks() const noexcept { return taker_.session != 0 && durable(); }
  std::uint64_t boundary(std::uint64_t from) const noexcept;

  std::uint32_t number_;
  std::string kind_, name_;
  std::uint64_t born_, floor_, next_, noted_;
  std::uint64_t since_ns_;       // until something late enough was confirmed
  std::uint64_t sent_since_ns_;  // until something late enough left
  std::shared_ptr<const topic_filter> filter_;
  figures done_;                 // below the floor
  std::deque<piece> pieces_;     // from the floor on
  std::uint64_t in_flight_ = 0;  // sent and not confirmed, in doubt or not
  std::uint64_t in_doubt_ = 0;
  figures above_;  // counted, but not below the floor yet
  std::uint64_t again_below_ = 0, maybe_below_ = 0, redelivered_ = 0;
  std::uint64_t skip_to_ = 0;

  taker taker_;
  std::uint32_t generation_ = 0;
  std::uint64_t overtaken_ = 0;  // token of a run that is under way and is not taken in
  bool attached_ = false;
  bool credited_ = false, held_ = false, open_ = false, stalled_ = false, whole_ = false;
  std::uint64_t messages_total_ = 0, messages_taken_ = 0, bytes_total_ = 0, bytes_taken_ = 0;
  std::uint64_t as_of_ = 0;
};

}  // namespace holdfast
