// engine: the part of a device's loop that knows no socket: patterns, catalog, log, and the rules
// between them. The device and the simulator drive the same engine.
//
// One turn: begin() takes in the log's marks and lets durable frames go; then inputs, in the order
// they came; then end() steps time, appends what the patterns ask for, sends, settles and writes a
// slice of a checkpoint when one is due.
//
// Contract: one thread; nothing waits. Frames leave through the outlet, held back until their
// records are durable. Time is passed in. `log`, `names` and the outlet outlive the engine.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "devices/loop/block_walker.hpp"
#include "devices/loop/checkpointer.hpp"
#include "devices/loop/held_frames.hpp"
#include "devices/loop/outlet.hpp"
#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"

namespace holdfast {

struct open_report;
/// What an opening has to make sure of: after a start of the machine channels below level disk may
/// have lost what they handed out; behind a cut lay what could still be read.
forgotten_numbers forgotten_by(const open_report& found);

/// Since the engine was made.
struct engine_counts {
  std::uint64_t turns = 0;
  std::uint64_t records = 0, record_bytes = 0;
  std::uint64_t frames = 0;
  std::uint64_t deliveries = 0, delivered_messages = 0, delivered_bytes = 0;
  std::uint64_t unreadable = 0;  ///< messages reported missing to their pattern
};

class engine {
 public:
  /// `to` may be null: then no checkpoints are written.
  engine(log& records, catalog& names, outlet& out, checkpoint_target* to,
         std::size_t slice_bytes = 64 * 1024);

  /// Before restore(). Returns the channel's index.
  std::uint32_t add_channel(std::string name, std::unique_ptr<pattern> channel);
  std::size_t channels() const noexcept { return channels_.size(); }

  // ---- opening: restore, replay any number of times, start
  // ---------------------------------------
  void restore(bytes_view checkpoint_rows);
  void replay(std::span<const record_view> records);
  void start(instant at, forgotten_numbers by_the_log = {});
  /// The number of (channel, address); defined now if it is new. Between start() and the next
  /// end(), or in a turn.
  stream_id stream_of(std::uint32_t channel, std::string_view address);

  // ---- a turn
  // ------------------------------------------------------------------------------------
  void begin(instant at);
  void on_frames(std::uint32_t channel, std::span<frame_in> frames);
  void on_plain(std::uint32_t channel, std::span<plain_block> blocks);
  void on_plain_joined(std::uint32_t channel, const plain_peer& peer);
  void on_plain_report(std::uint32_t channel, const plain_report& report);
  void on_plain_acks(std::uint32_t channel, std::span<const delivery_id> acks);
  /// Frames still held for it are dropped.
  void on_peer_lost(std::uint32_t channel, peer_id peer);
  /// With `idle` the driver has nothing else to do and would sleep now.
  void end(bool idle = false);
  /// Takes what reports made ready and sends it, within the same turn, after end().
  void flush() { drain(); }

  /// When the next turn must begin at the latest; 0 = at once.
  std::uint64_t next_deadline() const;
  room available() const noexcept { return step_.available; }
  /// There is more room than this turn's messages were taken in with: what did not fit may now.
  bool room_grew() const noexcept { return room_grew_; }
  const marks& reached() const noexcept { return step_.log; }
  const engine_counts& counts() const noexcept { return counts_; }
  std::size_t held() const noexcept { return held_.size(); }

  /// Begins a checkpoint that the following turns write. False if one is under way or cannot begin.
  bool force_checkpoint() { return checkpoints_ && checkpoints_->force(); }
  bool checkpoint_writing() const noexcept { return checkpoints_ && checkpoints_->writing(); }
  std::vector<channel_stats> report() const;

 private:
  struct channel_slot {
    std::string name;
    std::unique_ptr<pattern> machine;
  };
  struct finished {
    ticket after = 0;
    stream_id stream = no_stream;
    range messages;
  };
  struct trimmed {
    ticket after = 0;
    stream_id stream = no_stream;
    std::uint64_t to = 0;
  };

  bool take_marks();
  void tick();
  void drain();
  bool drain_channel(std::uint32_t channel);
  ticket append(std::vector<append_item>& items);
  void route(std::uint32_t channel, ticket base, frame_out& frame);
  bool emit(std::uint32_t channel, frame_out& frame);
  bool emit_run(std::uint32_t channel, frame_out& frame);
  void emit_piece(frame_out& frame, const piece& part);
  void emit_simple(const frame_out& frame, const piece& part);
  void emit_plain(const frame_out& frame, const piece& part);
  void emit_enveloped(const frame_out& frame, const piece& part);
  void settle();
  bool write_part(std::size_t index, state_writer& rows, std::size_t budget);

  log* log_;
  catalog* names_;
  outlet* out_;
  std::vector<channel_slot> channels_;
  std::unique_ptr<checkpointer> checkpoints_;
  checkpoint_target* checkpoint_to_;
  std::size_t slice_bytes_;

  step step_;
  bool moved_ = false;  ///< the marks moved since the patterns saw them
  bool room_grew_ = false;
  ready ready_;
  ready defined_;  ///< records of stream_of()
  held_frames held_;
  block_walker walker_;
  std::uint32_t scan_left_ = 1;     ///< blocks to look through for filtered runs, in this turn
  std::vector<finished> finished_;  ///< not yet durable, by ticket
  std::deque<trimmed> trimmed_;     ///< likewise
  std::vector<range> settling_;
  engine_counts counts_;
};

}  // namespace holdfast
