// delivery_buffer: what the device delivered and the application has not taken: the receiving half
// of every consuming endpoint (assignment, subscriber_stream, ...).
//
// Contract: sans-IO; the caller serialises calls. Frames are verified before they enter; the front
// is never void once skip_voids() was called after add() and take().
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "patterns/block.hpp"
#include "patterns/frame.hpp"

namespace holdfast {

/// Names one message handed to the application.
struct delivery_ticket {
  std::uint64_t serial = 0;  ///< of the frame it came in, never reused
  std::uint32_t slot = 0;
  std::uint16_t index = 0;  ///< in that frame
};

/// What is left of one received frame: consecutive messages for the application.
struct delivered_run {
  deliver head;
  std::shared_ptr<const buffer_ref> body;  ///< keeps the bytes alive
  bytes_view rest;                         ///< entries not taken yet
  delivery_ticket next;                    ///< of the first entry of `rest`
  bool voids = false;                      ///< some entries are void
  std::uint64_t sequence() const noexcept { return head.first_sequence + next.index; }
};

/// What a DELIVER frame is worth.
enum class body_state : std::uint8_t {
  broken,   ///< no body as the head says: breaks the protocol
  corrupt,  ///< a body, but what the sender summed is not what came
  intact
};
struct checked_body {
  body_state state = body_state::broken;
  bool voids = false;
};
/// The end-to-end check of what the sender wrote.
checked_body check_delivery(const deliver& f, bytes_view body);

class delivery_buffer {
 public:
  bool empty() const noexcept { return queue_.empty(); }
  /// Bytes of bodies taken or skipped since clear(): what byte credit grows by.
  std::uint64_t bytes_taken() const noexcept { return bytes_taken_; }
  void give_bytes(std::uint64_t bytes) noexcept { bytes_taken_ += bytes; }
  void restart_bytes() noexcept { bytes_taken_ = 0; }

  /// An intact body. `skip`: entries at its front that are not for the application.
  void add(const deliver& f, const buffer_ref& body, delivery_ticket first, bool voids,
           std::uint16_t skip = 0);
  /// The next message. False when there is none.
  bool take(delivered_run& run, entry& message);
  /// All that is left of the next frame, void entries included. False when there is none.
  bool take_run(delivered_run& run);
  const delivered_run& front() const noexcept { return queue_.front(); }
  void clear() noexcept { queue_.clear(); }

  /// Goes to the next message that can be shown; `skipped(ticket, sequence)` for every void entry
  /// on the way.
  template <class F>
  void skip_voids(F&& skipped) {
    entry e;
    while (!queue_.empty()) {
      delivered_run& first = queue_.front();
      entry_walker walker(first.rest);
      if (!walker.next(e)) {
        queue_.pop_front();
        continue;
      }
      if (!e.voided()) return;
      const delivery_ticket at = first.next;
      const std::uint64_t sequence = first.sequence();
      step_over(walker.left());
      skipped(at, sequence);
    }
  }

 private:
  void step_over(std::size_t left) noexcept;

  std::deque<delivered_run> queue_;
  std::uint64_t bytes_taken_ = 0;
};

}  // namespace holdfast
