#include "patterns/queue/queue_set.hpp"

namespace holdfast {

work_queue& queue_set::open(const stream_def& def) {
  work_queue_options own = options_;
  own.limits = rules_.of(def.address);
  queues_.push_back(std::make_unique<work_queue>(own, def, out_, waits_, jitter_));
  work_queue& q = *queues_.back();
  by_stream_[def.stream] = &q;
  return q;
}

void queue_set::start(const catalog& names, instant at) {
  for (const auto& q : queues_) {
    q->set_epoch(names.find_stream(q->def().stream)->epoch);
    q->start(at);
    q->on_tick(at);
    mark(*q);
  }
}

void queue_set::on_progress() {
  while (!waits_.empty() && waits_.front().after <= out_.reached()) {
    const awaited w = waits_.front();
    waits_.pop_front();
    work_queue& q = *by_stream_.at(w.stream);
    if (w.what == awaited::kind::visible)
      q.set_visible(w.end);
    else
      q.set_handout(w.end);
    mark(q);
  }
}

void queue_set::on_tick(instant at) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= at.now_ns) {
    work_queue& q = *deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    q.planned_ns = never_ns;
    q.on_tick(at);
    mark(q);
  }
}

/// Notes when the queue wants its next tick.
void queue_set::plan(work_queue& q) {
  const std::uint64_t wanted = q.next_deadline();
  if (wanted == q.planned_ns) return;
  if (q.planned_ns != never_ns) deadlines_.erase({q.planned_ns, &q});
  if (wanted != never_ns) deadlines_.emplace(wanted, &q);
  q.planned_ns = wanted;
}

bool queue_set::snapshot(state_writer& rows, std::size_t budget, instant at) {
  const std::size_t begin = rows.size();
  while (snapshot_at_ < queues_.size()) {
    queues_[snapshot_at_++]->snapshot(rows, at);
    if (rows.size() - begin >= budget) return false;
  }
  snapshot_at_ = 0;
  return true;
}

}  // namespace holdfast
