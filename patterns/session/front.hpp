// front: what the channels of all patterns have in common on the side of their reliable peers:
// sessions, the intake of what producers send, and answers that wait for a record. A pattern adds
// what becomes of a stream's messages.
//
// Contract: base class of every pattern's channel (patterns/pattern.hpp). Each verb of the derived
// class that takes a step calls begin() first. Frames of other protocols (frame_in::door) go to
// on_raw() as they came.
#pragma once

#include <deque>
#include <string>

#include "patterns/channel_settings.hpp"
#include "patterns/pattern.hpp"
#include "patterns/session/intake.hpp"
#include "patterns/session/replies.hpp"
#include "patterns/session/sessions.hpp"

namespace holdfast {

class front : public pattern, protected block_sink {
 public:
  void on_frames(std::span<const frame_in> frames, const step& now) final;
  void on_appended(ticket last) final { out_.on_appended(last); }

  /// For tests and tools.
  const sessions& session_room() const noexcept { return sessions_; }
  const intake& intake_room() const noexcept { return intake_; }
  const outgoing& waiting() const noexcept { return out_; }

 protected:
  /// `kind`: the pattern's word, as `status` shows it. `names` outlives the front.
  front(std::string_view kind, channel_settings settings, catalog& names, std::uint64_t seed);

  // What a pattern does with the frames of an open session.
  virtual void on_attach(const session& s, const attach& f) = 0;
  /// CREDIT, ACK, NACK, TOUCH and whatever else is the pattern's own.
  virtual void on_session_frame(const session& s, frame_type type, const frame_in& frame) = 0;
  /// A frame of a peer that speaks another protocol than HFP.
  virtual void on_raw(const frame_in& frame);
  virtual void on_session_closed(const session& s) = 0;
  /// Takes in what became durable, in every begin().
  virtual void on_progress() = 0;

  // For the derived class's verbs.
  void begin(const step& now);
  void tick_sessions();
  void lose_session(peer_id peer);
  /// In take_ready(), before the pattern asks for its own records.
  void flush_intake() { intake_.flush(); }
  /// The last thing take_ready() does: answers that are due, and everything asked for.
  void hand_out(ready& out);
  /// In start(): defines the channel and its default stream, and gives its streams new epochs where
  /// they need them.
  void start_names(const std::string& default_address);
  void start_sessions();
  /// A row of the checkpoint that is the front's. `mine`: the stream is one of this channel's.
  template <class Mine>
  bool restore_row(state_reader& rows, Mine&& mine) {
    if (rows.kind() != row_kind::position) return false;
    intake_.restore_row(rows, std::forward<Mine>(mine));
    return true;
  }
  void replay_front(const record_view& record);
  bool snapshot_front(state_writer& rows, std::size_t budget) {
    return intake_.snapshot(rows, budget);
  }
  void report_front(channel_stats& out) const;

  // ATTACH.
  /// The stream of `address`, defined if it is new; null after a refusal (a reserved name, too
  /// many). `fresh` is set if it is new.
  const stream_def* resolve(const session& s, const attach& f, const std::string& address,
                            bool& fresh);
  /// An answer with what every ATTACHED says; the stream's sequences are the pattern's to fill in.
  attached answer_to(const attach& f, const stream_def& def) const;
  /// The producer's place in the stream; false after a refusal.
  bool attach_producer(const session& s, const attach& f, attached& answer);
  /// Leaves once the stream's definition is durable.
  void send_attached(const session& s, const attached& answer);
  void refuse_attach(const session& s, std::uint32_t request, errc code, const char* text);
  /// For people: the name of a named peer, else "session N".
  std::string name_of(const session& s) const;

  /// ACKED{through}, once what this turn asks for is durable.
  void acked_later(const session& s, stream_id stream, std::uint64_t through);
  void count_bad_frame() noexcept { ++counters_.bad_frames; }

  channel_settings settings_;
  catalog& names_;
  random_source random_;
  outgoing out_;
  frame_counters counters_;
  sessions sessions_;
  intake intake_;
  step now_;
  ordinal last_stream_def_ = 0;  ///< every definition up to here

 private:
  struct ack_told {  // an ack frame whose effect is to be made durable
    ordinal after = 0;
    std::uint32_t session = 0;
    stream_id stream = no_stream;
    std::uint64_t through = 0;
  };
  void on_hfp(const frame_in& frame);
  void read_attach(const session& s, const frame_in& frame);
  void drop_closed();
  void send_acked();

  std::string kind_;
  std::vector<ack_told> acks_now_;  // of this turn: their record is not asked for yet
  std::deque<ack_told> acks_;
};

}  // namespace holdfast
