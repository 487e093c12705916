// outgoing: what a pattern asks for and has not handed over, and how far its records have come.
//
// Contract: a pattern names its records by ordinals, its own count from 1 (0 = durable since ever).
// The driver tells the tickets after each append; reached() says which ordinals are durable. All
// that is added has one level, the channel's: an ack need not outlast the message. One thread.
#pragma once

#include <cstdint>
#include <deque>

#include "patterns/ready.hpp"

namespace holdfast {

using ordinal = std::uint64_t;

class outgoing {
 public:
  explicit outgoing(level need = level::disk) noexcept : need_(need) {}

  /// Records and frames that leave with the next take(). Whoever adds records directly (the
  /// catalog) asks last() afterwards.
  ready& pending() noexcept { return pending_; }
  /// Ordinal of the last record asked for.
  ordinal last() const noexcept { return taken_ + pending_.records.size(); }
  ordinal add(append_item item) {
    item.head.need = need_;
    pending_.records.push_back(std::move(item));
    return last();
  }
  void send(frame_out frame) { pending_.frames.push_back(std::move(frame)); }
  void send_head(peer_id to, const small_head& head);
  /// Sends now if `after` is durable, else holds the frame back until it is.
  void send_after(ordinal after, frame_out frame);

  void take(ready& out);
  void on_appended(ticket last);
  /// Takes in how far the log is and lets go of frames that waited for it.
  void update(const marks& log);

  /// Every record up to this ordinal is durable, at the channel's level or at `need`.
  ordinal reached() const noexcept { return reached(need_); }
  ordinal reached(level need) const noexcept { return need == level::disk ? synced_ : written_; }
  /// Frames that wait for their record. For tests.
  template <class F>
  void for_each_held(F&& f) const {
    for (const held& h : held_) f(h.frame);
  }

 private:
  struct batch {
    ordinal last;
    ticket last_ticket;
    std::uint64_t count;
  };
  struct held {
    ordinal after;
    frame_out frame;
  };
  static ordinal reached_in(const batch& b, ticket log) noexcept;

  level need_;
  ready pending_;
  ordinal taken_ = 0;     // records handed over
  ordinal appended_ = 0;  // of those, with known tickets
  ordinal written_ = 0, synced_ = 0;
  std::deque<batch> batches_;        // not yet synced, in order
  std::size_t written_batches_ = 0;  // of those, written whole
  std::deque<held> held_;
};

}  // namespace holdfast
