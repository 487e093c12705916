// relocator: drains segments of which little is live, so that one message held for ever pins
// nothing. Live messages are appended once more with their sequences, as `relocated` records; the
// index follows once those are durable, and the segment is freed like any other.
//
// Contract: one thread, a slice of work a turn, never waits. Begins when segments take more
// than twice what is live and two segments; takes the emptiest first. What cannot be read stays
// where it is, and its segment with it. Memory: the moves of one segment that are not durable yet.
#pragma once

#include "journal/log_writer.hpp"
#include "journal/segment_reader.hpp"

namespace holdfast {

class relocator {
 public:
  relocator(core& shared, log_writer& writer, loaded_windows& windows, spare_pool& spares)
      : core_(shared), writer_(writer), records_(windows), spares_(spares) {}

  /// Goes on with the segment being drained, or looks for one. True if something was appended.
  bool step();
  /// Positions given since the last sync do not stand any more: the segment is begun anew.
  void restart();
  /// Monotonic: when step() should be called even if nothing happens.
  std::uint64_t deadline() const noexcept;

 private:
  struct move {
    stream_id stream = no_stream;
    range messages;
    block_index::place to;
  };

  void look_for_work();
  bool wanted() const;
  bool drainable(const segment& s) const noexcept;
  bool walk(segment& from);
  bool visit(segment& from, const record_header& header);
  void relocate(const record_head& head, bytes_view body, range messages);
  void apply();
  void end(segment& from);

  core& core_;
  log_writer& writer_;
  segment_reader records_;
  spare_pool& spares_;
  std::uint64_t victim_ = 0;  // base of the segment being drained
  bool draining_ = false;
  bool walked_ = false;   // to its end; only durability is waited for
  bool waiting_ = false;  // for a load
  std::uint64_t at_ = 0;
  std::uint64_t budget_ = 0;
  std::vector<move> moves_;  // appended, not durable yet
  std::vector<range> live_;  // reused
  std::uint64_t looked_at_ = 0;
};

}  // namespace holdfast
