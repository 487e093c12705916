// work_queue: one queue and its one group: every message is acked, or comes back, or ends among the
// dead letters. The device's side of push/pull without frames, sessions or peers.
//
// Contract: sans-IO, one thread. State changes at once; the records that make it last are coalesced
// and asked for by flush(), once a turn. Sequences are handed out once their block is durable
// (set_visible) and below the durable hand-out mark (set_handout), which is asked for 64 Ki ahead.
// Each figure of counts() is counted where its messages move; audit() counts them again by walking.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "patterns/outgoing.hpp"
#include "patterns/queue/backlog.hpp"
#include "patterns/queue/consumers.hpp"
#include "patterns/queue/dead_letters.hpp"
#include "patterns/queue/leases.hpp"
#include "patterns/queue/queue_marks.hpp"
#include "patterns/records.hpp"
#include "patterns/redelivery.hpp"
#include "patterns/stats.hpp"

namespace holdfast {

/// Messages that failed, for an owner that wants to know.
struct failed_run {
  stream_id stream = no_stream;
  range messages;
  std::uint16_t failed = 0;
  bool dead = false;  ///< given up
  std::string reason;
};

struct work_queue_options {
  std::uint64_t lease_ns = 30 * second_ns;
  std::uint32_t touches_max = 12;  ///< a lease is extended to so many times its length at most
  redelivery_options redelivery;
  queue_limits limits;                               ///< of what waits here
  std::vector<failed_run>* tell_failures = nullptr;  ///< the owner's, or null
};

/// A run to hand out, before it is cut.
struct grant {
  const consumer* to = nullptr;
  run what;
  std::uint16_t attempt = 1;
  std::uint8_t redelivered = 0;
};

/// Something of a queue that becomes true once a record is durable.
struct awaited {
  enum class kind : std::uint8_t { visible, handout };
  ordinal after = 0;
  stream_id stream = no_stream;
  kind what{};
  std::uint64_t end = 0;
};

class work_queue {
 public:
  static constexpr std::uint64_t handout_ahead = 64 * 1024;

  /// `waits`: where the queue says what it waits for; the owner calls set_visible, set_handout.
  work_queue(work_queue_options options, stream_def def, outgoing& out, std::deque<awaited>& waits,
             random_source& jitter);

  const stream_def& def() const noexcept { return def_; }
  void set_epoch(std::uint32_t epoch) noexcept { def_.epoch = epoch; }
  std::uint64_t next_sequence() const noexcept { return backlog_.next_sequence(); }
  std::uint64_t floor() const noexcept { return backlog_.done.floor(); }

  // Producing. The block's record was asked for as `record`, with next_sequence() as its first;
  // `bytes`: of its body.
  void append(std::uint32_t count, std::uint64_t bytes, ordinal record, instant at);
  void set_visible(std::uint64_t end) noexcept { backlog_.set_visible(end); }
  void set_handout(std::uint64_t end) noexcept { backlog_.set_handout(end); }

  // Consumers.
  consumer& join(consumer made);
  /// Gone: what it held is ready again, unharmed.
  void leave(consumer_id id);
  /// Gone without a word. What it was given first and did not ack may be what ended it and counts
  /// as failed, ready again after `delay_ns` (at_once_ns: now; 0: the redelivery's); the rest is
  /// ready again, unharmed.
  void lose(consumer_id id, std::uint64_t delay_ns, instant at);
  static constexpr std::uint64_t at_once_ns = never_ns;
  consumer* find(consumer_id id) noexcept { return consumers_.find(id); }
  void set_credit(consumer_id id, std::uint64_t messages_total, std::uint64_t bytes_total,
                  bool whole_blocks);
  /// The next run to hand out; empty when nothing is ready or nobody can take it.
  std::optional<grant> next_grant(instant at);
  /// The consumer is there, and its run is under way.
  bool awaits(consumer_id id) noexcept;
  /// What became of a run. Returns the messages that left.
  range on_cut(consumer_id id, const cut& what, instant at);

  // Outcomes. Ranges come from peers: what is not there is ignored or counted as late.
  void ack(range r, instant at);
  void nack(consumer_id by, const nack& f, instant at);
  void touch(consumer_id by, const touch& f, instant at);
  /// Messages that hold a number's place only, and ranges handed to plain receivers for good.
  void settle(range r, consumer_id only = 0);
  /// Finishes `r` wherever it is, held and fresh included; returns how many were open.
  std::uint64_t close(range r, finish how);
  /// Finishes `r` (acked: only what may have been handed out); a record that the caller asks for in
  /// this same ready says so, and its replay calls this again, so that none is asked for here.
  std::uint64_t answered(range r, finish how);
  bool finished(std::uint64_t sequence) const noexcept { return backlog_.done.done(sequence); }
  /// Given up by the owner: among the dead letters.
  void give_up(std::uint64_t sequence, std::uint16_t failed, const std::string& reason, instant at);
  /// Handed to a plain receiver: may come back if it goes.
  void doubt(consumer_id by, range r);

  /// Messages beyond the limits that nobody holds, the oldest first: the owner is to close() them
  /// with finish::retention. What somebody holds beyond them is named once it comes back.
  std::vector<range> beyond_limits(instant at);

  void on_tick(instant at);
  std::uint64_t next_deadline();
  /// Asks for the records of what happened since the last flush.
  void flush(instant at);

  // State.
  void replay(const record_view& record);
  void start(instant at);
  void snapshot(state_writer& rows, instant at) const;
  void restore_row(state_reader& row, std::uint64_t as_of);
  void restore_marks(state_reader& row) { marks_.read(row); }

  const identity& counts() const noexcept { return counts_; }
  /// Calls `f(first, end)` for each run that is not finished.
  template <class F>
  void for_each_open(F&& f) const {
    for (std::uint64_t at = floor(); at < next_sequence();) {
      const std::uint64_t first = backlog_.done.next_open(at);
      if (first >= next_sequence()) return;
      at = backlog_.done.next_done(first, next_sequence());
      f(first, at);
    }
  }
  /// ready, in_flight, in_doubt, delayed counted by walking; `acked` holds everything done.
  identity audit();
  const dead_letters& dead() const noexcept { return dead_; }
  void report(stream_stats& into) const;

  bool dirty = false;  ///< the owner's mark: stands in its list of queues to look at
  std::uint64_t planned_ns = never_ns;  ///< the owner's mark: deadline it has noted

 private:
  struct piece {
    std::uint64_t first, end;
    std::uint16_t failed;
  };
  void note_handout(instant at);
  std::uint64_t keep_from(instant at) const;
  std::vector<range> waiting_below(std::uint64_t limit);
  void adopt_unmarked(instant at);
  bool lives_on(const hold& h, std::uint64_t now_ns);
  void unhold(const hold& h, std::uint64_t count);
  std::uint64_t finish_range(range r, finish how, consumer_id only, bool even_unseen = false);
  void mark_done(std::uint64_t first, std::uint64_t end, finish how);
  range clip(range r) const noexcept;
  std::vector<piece> take_held(std::span<const range> ranges, consumer_id by);
  void fail(std::vector<piece>& pieces, failure why, std::uint64_t delay_ns,
            const std::string& reason, instant at);
  void die(std::vector<range> ranges, failure why, std::uint16_t failed, const std::string& reason,
           instant at);
  void bury(const range& r, failure why, std::uint16_t failed, const std::string& reason,
            std::uint64_t real_ns);
  void again_ready(std::uint64_t first, std::uint64_t end, again state);
  void return_rest(consumer& c, std::uint64_t from);
  void close_open(consumer& c);
  void wake(std::uint64_t now_ns);
  void flush_finished(finish how, instant at);
  void replay_block(const record_view& record);
  void tell_finished();
  void replay_fail(const group_fail_record& r, std::uint64_t asked_ns);
  void note_time_of_row(std::uint64_t real_ns);
  void write_failed(state_writer& row, instant at) const;
  /// Fresh messages may be finished below this.
  std::uint64_t fresh_limit() const noexcept {
    return started_ ? backlog_.maybe_below() : backlog_.next_sequence();
  }

  work_queue_options options_;
  stream_def def_;
  outgoing& out_;
  std::deque<awaited>& waits_;
  random_source& jitter_;

  leases leases_;
  backlog backlog_;
  consumers consumers_;
  dead_letters dead_;
  identity counts_;
  queue_marks marks_;  // of queues with a limit of age or bytes
  std::uint64_t retention_due_ns_ = never_ns;
  std::uint64_t dropped_by_retention_ = 0;  // of those dropped
  std::uint64_t redelivered_ = 0, late_acks_ = 0;
  std::uint64_t handout_asked_ = 1;
  std::uint64_t acked_at_ns_ = 0;    ///< of the ack that is being taken in
  consumer_id fresh_locked_by_ = 0;  ///< its whole-block run may reach over what is fresh
  std::array<std::vector<range>, 6> finished_;  // by finish, since the last flush
  std::uint64_t as_of_ = 0, row_real_ns_ = 0;
  bool started_ = false;
  bool told_elsewhere_ = false;  ///< what is finished now needs no record of this queue
};

}  // namespace holdfast
