// channel_world: a channel of any pattern, its catalog and a fake log, driven as a device's loop
// would: step, take the ready, append, hand the frames over. The world of each pattern adds how it
// cuts runs, and the accounts it checks after every turn.
//
// Contract: a derived class is final and calls begin() at the end of its constructor. `Sent` is
// sent_frame or derives from it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "patterns/block.hpp"
#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"
#include "patterns/queue/work_queue.hpp"
#include "tests/patterns/fake_log.hpp"

namespace holdfast {

/// A frame that left the device.
struct sent_frame {
  peer_id to = 0;
  frame_form form = frame_form::hfp;
  std::vector<std::byte> head;
  buffer_ref body;
};

inline std::string text_of(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void check_accounts_of(work_queue& q) {
  const identity& c = q.counts();
  const identity walked = q.audit();
  check(c.in == c.sum(), "in equals the sum of where messages are");
  check(c.in == walked.in && c.ready == walked.ready && c.in_flight == walked.in_flight &&
            c.in_doubt == walked.in_doubt && c.delayed == walked.delayed,
        "each figure is what a walk over the queue counts");
  check(c.acked + c.settled + c.dropped + c.dead + c.expired == walked.acked,
        "what is done was counted");
}

template <class Channel, class Options, class Sent = sent_frame>
class channel_world {
 public:
  virtual ~channel_world() = default;

  Channel& channel() { return *channel_; }
  fake_log& log() { return log_; }
  const fake_log& log() const { return log_; }
  catalog& names() { return *names_; }
  step now() const {
    step s;
    s.at = at;
    s.available.message_bytes = room_bytes;
    s.available.control_bytes = 1 << 20;
    s.available.reply_bytes = std::max(room_bytes, reply_room_bytes);
    s.log = log_.progress();
    if (planted_early_marks) s.log.written = s.log.synced = s.log.appended;
    return s;
  }

  void receive(peer_id from, bytes_view head, std::vector<buffer_ref> parts = {},
               door through = door::hfp) {
    frame_in frame;
    frame.from = from;
    frame.from_door = through;
    frame.head = copy_to_buffer(head);
    receive(frame, parts);
  }
  /// Messages over a plain socket: one block; each message is its parts.
  void publish(stream_id stream, const std::vector<std::vector<std::string>>& messages);
  void joined(const plain_peer& peer) {
    channel_->on_plain_joined(peer, now());
    turn();
  }
  void report(const plain_report& what) {
    channel_->on_plain_report(what, now());
    turn();
  }
  void lost(peer_id peer) {
    channel_->on_peer_lost(peer, now());
    turn();
  }
  /// Takes and carries out what the channel asks for until nothing comes.
  void turn();
  /// The first `count` records that are not synced become durable, and the channel is told.
  void make_durable(std::size_t count = ~std::size_t{0}) {
    log_.sync(std::min(count, log_.unsynced()));
    tick();
  }
  void tick() {
    channel_->on_tick(now());
    turn();
  }
  /// Moves time to `ns` from now, ticking at each deadline on the way.
  void wait(std::uint64_t ns);
  /// The device stops and starts again from its log; `power`: what was not synced is lost.
  void restart(bool power);
  /// `between` is called after each slice.
  void checkpoint(std::size_t budget, const std::function<void()>& between = {});
  channel_stats stats() const {
    channel_stats made;
    channel_->report(made);
    return made;
  }
  std::vector<Sent> take_sent() { return std::exchange(sent_, {}); }

  bool auto_durable = false;
  bool planted_early_marks = false;  ///< durable is said of what is only appended
  bool rotten_end = false;           ///< the body of the last block, when the device starts again
  std::uint64_t room_bytes = 1ull << 30;
  std::uint64_t reply_room_bytes = 0;  ///< where it is more
  instant at{1'000 * second_ns, 1'700'000'000ull * second_ns};

 protected:
  channel_world(Options options, std::uint64_t seed) : options_(std::move(options)), seed_(seed) {}
  void begin() {
    boot();
    turn();
    make_durable();
  }
  void receive(frame_in& frame, std::span<buffer_ref> parts) {
    frame.parts = parts;
    channel_->on_frames({&frame, 1}, now());
    turn();
  }

  void check_levels(const ready& asked) const;
  /// A life begins: what the world noted of the last one goes.
  virtual void forget_life() {}
  virtual void check_accounts() = 0;
  /// What the channel told the log; records and frames are taken care of.
  virtual void told(const ready&) {}
  /// What the loop's block walker does: sends what may leave, and reports the cut.
  virtual void cut_run(const frame_out& frame, const run& r) = 0;
  /// A frame that is no run leaves.
  virtual void leaves(const frame_out& frame, Sent made) {
    (void)frame;
    sent_.push_back(std::move(made));
  }

  Options options_;
  fake_log log_;
  std::unique_ptr<catalog> names_;
  std::unique_ptr<Channel> channel_;
  std::vector<Sent> sent_;

 private:
  void boot();

  std::uint64_t seed_;
  std::vector<std::byte> checkpoint_;
};

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::boot() {
  channel_.reset();
  forget_life();
  names_ = std::make_unique<catalog>();
  channel_ = std::make_unique<Channel>(options_, *names_, seed_++);
  state_reader rows(checkpoint_);
  names_->restore(rows);
  rows.rewind();
  channel_->restore(rows);
  const std::uint64_t rotten = rotten_end ? log_.last_block() : 0;
  for (const fake_log::entry& e : log_.records()) {
    record_view view{e.head, e.body.bytes(), e.position};
    if (e.position == rotten) view.lost = true, view.body = {};
    names_->replay({&view, 1});
    channel_->replay({&view, 1});
  }
  channel_->start(now());
}

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::publish(
    stream_id stream, const std::vector<std::vector<std::string>>& messages) {
  block_packer packer;
  for (const auto& message : messages) {
    std::vector<bytes_view> parts;
    for (const std::string& part : message)
      parts.push_back(as_bytes_view(part.data(), part.size()));
    packer.add(parts, 0);
  }
  sealed_block s = packer.seal();
  plain_block b{stream, s.count, s.props_mask, s.body_sum, s.body};
  channel_->on_plain({&b, 1}, now());
  turn();
}

// What is named once may ask for more than the channel promises: numbers given out must hold.
template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::check_levels(const ready& asked) const {
  for (const append_item& item : asked.records) {
    const record_type what = item.head.type;
    const bool names = what >= record_type::channel_def && what <= record_type::producer_gone;
    check(names || item.head.need <= options_.durability,
          "a record asks for no more than its channel promises");
  }
}

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::turn() {
  for (;;) {
    ready asked;
    channel_->take_ready(asked);
    check_accounts();
    check_levels(asked);
    if (!asked.records.empty()) channel_->on_appended(log_.append(asked.records));
    told(asked);
    for (const frame_out& frame : asked.frames) {
      check(frame.after == 0, "these channels hold frames back themselves");
      if (const auto* r = std::get_if<run>(&frame.body)) {
        cut_run(frame, *r);
        continue;
      }
      const auto* longer = std::get_if<buffer_ref>(&frame.body);
      const bytes_view head = longer ? longer->bytes() : frame.head.bytes();
      Sent made;
      made.to = frame.to;
      made.form = frame.form;
      made.head = {head.begin(), head.end()};
      leaves(frame, std::move(made));
    }
    if (asked.empty()) break;
  }
  if (auto_durable && log_.unsynced() != 0) make_durable();
}

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::wait(std::uint64_t ns) {
  const std::uint64_t until = at.now_ns + ns;
  while (channel_->next_deadline() <= until) {
    const std::uint64_t next = std::max(channel_->next_deadline(), at.now_ns);
    at.real_ns += next - at.now_ns;
    at.now_ns = next;
    tick();
  }
  at.real_ns += until - at.now_ns;
  at.now_ns = until;
  tick();
}

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::restart(bool power) {
  if (!power) log_.sync();
  log_.crash();
  at.now_ns = 5 * second_ns;  // another boot, another monotonic clock
  boot();
  turn();
  if (auto_durable) make_durable();
}

template <class Channel, class Options, class Sent>
void channel_world<Channel, Options, Sent>::checkpoint(std::size_t budget,
                                                       const std::function<void()>& between) {
  log_.sync();
  tick();
  log_.sync();
  state_writer rows;
  const auto slices = [&](auto& part) {
    for (;;) {
      rows.set_as_of(log_.next_position());
      if (part.snapshot(rows, budget)) return;
      if (between) between();
    }
  };
  slices(*names_);
  slices(*channel_);
  log_.sync();  // a checkpoint counts once all it knows of is durable
  checkpoint_ = std::move(rows.bytes());
}

}  // namespace holdfast
