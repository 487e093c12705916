// queue_set: the work queues of one channel: which became visible, which want a tick, which have
// something to hand out.
//
// Contract: sans-IO, one thread. Cost of a turn: the queues that were touched in it, never all.
// Whoever changes a queue marks it.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "patterns/queue/work_queue.hpp"

namespace holdfast {

class queue_set {
 public:
  queue_set(work_queue_options options, outgoing& out, random_source& jitter,
            retention_rules rules = {})
      : options_(options), rules_(std::move(rules)), out_(out), jitter_(jitter) {}

  work_queue* find(stream_id stream) noexcept {
    const auto at = by_stream_.find(stream);
    return at == by_stream_.end() ? nullptr : at->second;
  }
  work_queue& open(const stream_def& def);
  void mark(work_queue& q) {
    if (!std::exchange(q.dirty, true)) dirty_.push_back(&q);
  }

  /// After replay. Streams may have been given new epochs.
  void start(const catalog& names, instant at);
  /// Takes in what became durable.
  void on_progress();
  void on_tick(instant at);
  std::uint64_t next_deadline() const noexcept {
    return deadlines_.empty() ? never_ns : deadlines_.begin()->first;
  }
  /// Before flush(): `f(queue, range)` for what is beyond the limits of a queue that was touched;
  /// it is to end there with finish::retention.
  template <class F>
  void retain(instant at, F&& f) {
    if (!rules_.any()) return;
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
      work_queue& q = *dirty_[i];
      for (const range& r : q.beyond_limits(at)) f(q, r);
    }
  }
  /// Asks for the records of what changed, then calls `f(grant)` for each run to hand out.
  template <class F>
  void flush(instant at, F&& f) {
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
      work_queue& q = *dirty_[i];
      q.dirty = false;
      q.flush(at);
      while (const auto g = q.next_grant(at)) f(*g);
      plan(q);
    }
    dirty_.clear();
  }
  bool snapshot(state_writer& rows, std::size_t budget, instant at);

  std::span<const std::unique_ptr<work_queue>> all() const noexcept { return queues_; }

 private:
  void plan(work_queue& q);

  work_queue_options options_;
  retention_rules rules_;
  outgoing& out_;
  random_source& jitter_;
  std::vector<std::unique_ptr<work_queue>> queues_;
  std::unordered_map<stream_id, work_queue*> by_stream_;
  std::vector<work_queue*> dirty_;
  std::set<std::pair<std::uint64_t, work_queue*>> deadlines_;
  std::deque<awaited> waits_;
  std::size_t snapshot_at_ = 0;
};

}  // namespace holdfast
