// intake: the device's side of producing (docs/wire_protocol.md 1.3): which number of which
// producer in which stream comes next, what is durable of them, and every answer to PUBLISH.
//
// Contract: sans-IO, one thread. A block is checked once (entries, body sum), then goes to the sink
// as it came: never copied, never summed again. ACCEPTs are coalesced: at most one per producer and
// stream and flush(). A refusal consumes nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "patterns/block.hpp"
#include "patterns/session/sessions.hpp"

namespace holdfast {

/// Where admitted blocks go: a channel numbers them in their stream and asks for their record.
class block_sink {
 public:
  virtual ~block_sink() = default;
  /// `item.head` lacks only first_sequence. `voids`: of its entries, how many hold a number's
  /// place.
  virtual ordinal append_block(append_item item, std::uint32_t voids) = 0;
  /// False: no room in the stream now for so many messages; asked again every turn.
  virtual bool takes(stream_id, std::uint32_t) const { return true; }
  /// False: a message with this first part cannot be stored for good.
  virtual bool understands(stream_id, bytes_view) const { return true; }
  /// The first entry of a well-formed body that the channel cannot store for good.
  virtual std::optional<std::uint16_t> bad_entry(stream_id, bytes_view) const {
    return std::nullopt;
  }
};

struct intake_options {
  level durability = level::disk;
  std::uint64_t max_message = 256ull << 20;
  std::uint32_t positions_max = 100'000;  ///< rows producer x stream
  bool planted_ignore_number = false;     ///< planted_bugs::ignore_number
};

class intake {
 public:
  intake(intake_options options, const sessions& who, outgoing& out, block_sink& sink,
         frame_counters& counters);

  /// Before the frames of a turn: what the log can take.
  void begin(const step& now);
  /// ATTACH{produce}. Fills next_number, accepted_through and effective; false: too many rows.
  bool attach(const session& s, stream_id stream, level asked, attached& into);
  void on_publish(const session& s, const frame_in& frame);
  void on_publish_simple(const session& s, const frame_in& frame);
  void on_probe(const session& s, const frame_in& frame);
  void forget(std::uint32_t producer);

  /// Seals what simple peers published and sends the ACCEPTs that are due.
  void flush();
  std::uint64_t duplicates(stream_id stream) const;
  /// Calls `f(producer, session, next number, told through, gap told)` for each position. For
  /// tests.
  template <class F>
  void for_each_position(F&& f) const {
    for (const position& p : positions_)
      if (p.producer != 0) f(p.producer, p.session, p.next, p.told_through, p.gap_told);
  }

  // State: one row a position.
  template <class Mine>
  void restore_row(state_reader& r, Mine&& mine) {
    const auto producer = r.u32();
    const auto stream = r.u32();
    if (producer == 0 || !mine(stream)) return;
    position& p = positions_[row(producer, stream)];
    p.next = std::max(p.next, r.u64());
  }
  void replay_block(const record_head& head);
  void start();
  bool snapshot(state_writer& rows, std::size_t budget);

 private:
  struct position {
    std::uint32_t producer = 0;  // 0 = free
    stream_id stream = no_stream;
    std::uint32_t session = 0;
    level need = level::disk;
    bool gap_told = false, held = false, answer = false, dirty = false;
    std::uint64_t next = 1;
    std::uint64_t written_through = 0, synced_through = 0, told_through = 0;
    std::uint64_t wanted_bytes = 0;  // of the block that was refused
    std::uint32_t wanted_count = 0;
  };
  struct progress {
    ordinal record;
    std::uint32_t index, producer;
    std::uint64_t through;
  };
  using index = std::uint32_t;

  index row(std::uint32_t producer, stream_id stream);
  position* find(const session& s, stream_id stream);
  bool in_order(position& p, const session& s, std::uint64_t first, std::uint64_t count);
  bool admissible(position& p, const session& s, const publish& f, std::uint64_t bytes);
  bool body_holds(position& p, const session& s, const publish& f, bytes_view body,
                  std::uint32_t& voids);
  void append(position& p, const publish& f, buffer_ref body, std::uint32_t voids);
  void bad(const session& s, stream_id stream, std::uint64_t first, std::uint16_t count,
           const char* text);
  void refuse(const session& s, const holdfast::refuse& f);
  void resync(position& p, const session& s);
  void answer(position& p);
  void touch(position& p);
  void seal_simple();
  void resume_held();
  void advance(std::deque<progress>& line, ordinal reached, std::uint64_t position::*through);
  std::uint64_t through(const position& p) const noexcept {
    return p.need == level::disk ? p.synced_through : p.written_through;
  }

  intake_options options_;
  const sessions& sessions_;
  outgoing& out_;
  block_sink& sink_;
  frame_counters& counters_;
  instant at_;
  std::uint64_t room_ = 0;
  bool failed_ = false;
  std::deque<position> positions_;
  std::vector<index> free_, dirty_, held_;
  std::unordered_map<std::uint64_t, index> by_key_;
  std::unordered_map<stream_id, std::uint64_t> duplicates_;  // only streams that had any
  std::deque<progress> to_write_, to_sync_;
  block_packer simple_;
  publish simple_head_;
  position* simple_for_ = nullptr;
  std::size_t snapshot_at_ = 0;
};

}  // namespace holdfast
