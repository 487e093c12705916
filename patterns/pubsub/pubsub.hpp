// pubsub: the class behind make_pubsub(). One stream; `history` knows what is kept of it, each
// subscription is a cursor in it; sessions face the reliable peers, hand_offs the plain ones.
//
// Contract: patterns/pattern.hpp. Cost of a turn: the subscriptions that have a taker, when
// something became visible; else those that were touched.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "patterns/pubsub/history.hpp"
#include "patterns/pubsub/plain_subscriber.hpp"
#include "patterns/pubsub/pubsub_channel.hpp"
#include "patterns/pubsub/subscriptions.hpp"
#include "patterns/session/front.hpp"

namespace holdfast {

class pubsub final : public front {
 public:
  pubsub(pubsub_options options, catalog& names, std::uint64_t seed);

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

  /// Ends a durable subscription that nobody has now. False if there is none or it is in use.
  bool forget_subscription(const std::string& name, const step& now);

  /// For tests and tools.
  const history& kept() const noexcept { return kept_; }
  const subscriptions& room() const noexcept { return subs_; }

 private:
  struct awaited {
    ordinal after;
    std::uint64_t end;
  };
  ordinal append_block(append_item item, std::uint32_t voids) override;
  void on_progress() override;
  bool mine(stream_id stream) const;
  void define(const subscription& s);
  void note(subscription& s);
  std::uint64_t acked_by_all() const;
  void trim();
  void serve(subscription& s);
  void tell_gap(const subscription& s, range lost);

  // pubsub_state.cpp
  void restore_subscription(state_reader& row);
  void replay_record(const record_view& r);
  void write_subscription(state_writer& rows, const subscription& s) const;
  bool snapshot_own(state_writer& rows, std::size_t budget);

  // pubsub_frames.cpp
  void on_attach(const session& s, const attach& f) override;
  void on_session_frame(const session& s, frame_type type, const frame_in& frame) override;
  void on_session_closed(const session& s) override;
  subscription* subscribe(const session& s, const attach& f);
  subscription* durable_for(const session& s, const attach& f, std::vector<std::string> prefixes);
  bool take_over(subscription& sub, const session& s);
  std::uint64_t begins_at(const attach& f) const;
  void on_credit(const session& s, const frame_in& frame);
  void on_ack(const session& s, const frame_in& frame);
  void on_nack(const session& s, const frame_in& frame);
  frame_out delivery(const subscription& s, const run& what) const;

  // pubsub_plain.cpp
  void on_raw(const frame_in& frame) override;
  void claim(plain_subscriber& p);
  void offer(const std::string& name);
  void give(plain_subscriber& p, subscription& s);
  void topics_changed(plain_subscriber& p);
  void begin_plain(plain_subscriber& p);
  void durable_topics(plain_subscriber& p, subscription& s);
  void settle_topics(plain_subscriber& p);
  void settled(plain_subscriber& p, std::uint64_t sent);
  static std::uint64_t total(const std::vector<range>& list);

  pubsub_options options_;
  stream_id stream_ = no_stream;
  history kept_;
  std::deque<awaited> waits_;
  subscriptions subs_;
  /// With retention_until_acked: {recorded floor, number} of each durable subscription.
  std::set<std::pair<std::uint64_t, std::uint32_t>> recorded_floors_;
  std::map<peer_id, plain_subscriber> plain_;
  std::uint64_t plain_refused_ = 0;
  std::vector<range> doubt_, settled_;  // reused
  bool snapshot_history_done_ = false, snapshot_own_done_ = false;
  std::uint32_t snapshot_from_ = 0;
};

}  // namespace holdfast
