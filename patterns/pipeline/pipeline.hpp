// pipeline: the class behind make_pipeline(). It joins the rooms: sessions and intake face the
// reliable peers, hand_offs the plain ones, work_queues hold the messages; it turns frames into
// their verbs and their grants into frames.
//
// Contract: patterns/pattern.hpp. Cost of a turn: what was touched in it, never all queues.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "patterns/pipeline/pipeline_channel.hpp"
#include "patterns/queue/hand_off.hpp"
#include "patterns/queue/queue_set.hpp"
#include "patterns/queue/session_consumers.hpp"
#include "patterns/session/front.hpp"

namespace holdfast {

class pipeline final : public front {
 public:
  pipeline(pipeline_options options, catalog& names, std::uint64_t seed);

  void restore(state_reader& rows) override;
  void replay(std::span<const record_view> records) override;
  void start(const step& now) override;

  void on_plain(std::span<plain_block> blocks, const step& now) override;
  void on_plain_joined(const plain_peer& peer, const step& now) override;
  void on_plain_report(const plain_report& report, const step& now) override;
  void on_plain_acks(std::span<const delivery_id> acks, const step& now) override;
  void on_peer_lost(peer_id peer, const step& now) override;
  bool awaits(const run& what) override;
  void on_cut(const cut& what, const step& now) override;
  void on_tick(const step& now) override;
  std::uint64_t next_deadline() const override;
  void take_ready(ready& out) override;
  bool snapshot(state_writer& rows, std::size_t budget) override;
  void report(channel_stats& out) const override;

  /// For tests and tools.
  std::span<const std::unique_ptr<work_queue>> queues() const noexcept { return queues_.all(); }

 private:
  struct plain_receiver {
    hand_off progress;
    consumer_id id = 0;
  };

  ordinal append_block(append_item item, std::uint32_t voids) override;
  work_queue* queue_of(stream_id stream);
  void mark(work_queue& q) { queues_.mark(q); }

  // pipeline_frames.cpp
  void on_attach(const session& s, const attach& f) override;
  void on_session_frame(const session& s, frame_type type, const frame_in& frame) override;
  void on_session_closed(const session& s) override;
  void on_progress() override { queues_.on_progress(); }
  void attach_consumer(const session& s, work_queue& q);
  void on_credit(const session& s, const frame_in& frame);
  void on_ack(const session& s, const frame_in& frame);
  void on_nack(const session& s, const frame_in& frame);
  void on_touch(const session& s, const frame_in& frame);
  frame_out delivery(const grant& g);

  pipeline_options options_;
  queue_set queues_;
  session_consumers consumers_;
  std::map<peer_id, plain_receiver> plain_;
  std::vector<range> doubt_, settled_;  // reused
  bool snapshot_queues_done_ = false;
};

}  // namespace holdfast
