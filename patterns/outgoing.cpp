#include "patterns/outgoing.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace holdfast {
namespace {

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& to) {
  if (to.empty()) {
    std::swap(from, to);
  } else {
    std::move(from.begin(), from.end(), std::back_inserter(to));
    from.clear();
  }
}

}  // namespace

void outgoing::send_head(peer_id to, const small_head& head) {
  frame_out& frame = pending_.frames.emplace_back();
  frame.to = to;
  frame.head = head;
}

void outgoing::send_after(ordinal after, frame_out frame) {
  if (after <= reached())
    send(std::move(frame));
  else
    held_.push_back({after, std::move(frame)});
}

void outgoing::take(ready& out) {
  taken_ += pending_.records.size();
  move_all(pending_.records, out.records);
  move_all(pending_.frames, out.frames);
  move_all(pending_.settled, out.settled);
  move_all(pending_.trimmed, out.trimmed);
}

void outgoing::on_appended(ticket last) {
  if (taken_ == appended_) return;
  check(batches_.empty() || last > batches_.back().last_ticket, "tickets rise");
  batches_.push_back({taken_, last, taken_ - appended_});
  appended_ = taken_;
}

/// How far a log that has come to `log` covers this batch; 0 where it ends before it (of what lies
/// before, the earlier batches tell).
ordinal outgoing::reached_in(const batch& b, ticket log) noexcept {
  const ticket ticket_before = b.last_ticket - b.count;
  return log <= ticket_before ? 0 : b.last - b.count + std::min(log - ticket_before, b.count);
}

void outgoing::update(const marks& log) {
  // Both figures go on from where they were: a second's worth of written batches may wait for a
  // sync.
  while (written_batches_ < batches_.size() &&
         batches_[written_batches_].last_ticket <= log.written)
    written_ = batches_[written_batches_++].last;
  if (written_batches_ < batches_.size())
    written_ = std::max(written_, reached_in(batches_[written_batches_], log.written));
  for (; written_batches_ > 0 && batches_.front().last_ticket <= log.synced; --written_batches_) {
    synced_ = batches_.front().last;
    batches_.pop_front();
  }
  if (!batches_.empty()) synced_ = std::max(synced_, reached_in(batches_.front(), log.synced));
  // In order: what waits for a later record may pass, but two frames of one peer never change
  // places, since records of one level become durable in order.
  while (!held_.empty() && held_.front().after <= reached()) {
    send(std::move(held_.front().frame));
    held_.pop_front();
  }
}

}  // namespace holdfast
