#include "tests/patterns/pubsub_world.hpp"

namespace holdfast {

pubsub_world::pubsub_world(pubsub_options options, std::uint64_t seed)
    : channel_world(std::move(options), seed) {
  begin();
}

void pubsub_world::told(const ready& asked) {
  for (const auto& [stream, to] : asked.trimmed) trimmed = std::max(trimmed, to);
}

/// Blocks or runs of entries, filtered, until the limits.
void pubsub_world::cut_run(const frame_out& frame, const run& r) {
  cut done;
  done.token = r.token;
  if (!channel_->awaits(r)) return channel_->on_cut(done, now());
  const bool sifted = r.filter || r.since_ns != 0;
  const std::uint64_t end = r.first + std::min(sifted ? r.reach : r.count, run_max);
  const bool dense = frame.form != frame_form::plain;
  while (r.first + done.count < end && (done.sent == 0 || done.bytes < r.bytes)) {
    const std::uint64_t sequence = r.first + done.count;
    const fake_log::entry* block = log_.find(r.stream, sequence);
    const bool rotten = sequence >= unreadable.first && sequence < unreadable.end();
    if (rotten || sequence < trimmed || !block) {
      if (done.count == 0) {
        const std::uint64_t upto = rotten ? unreadable.end() : trimmed;
        done.missing = {sequence, std::min(upto, r.first + r.reach) - sequence};
      }
      break;
    }
    const std::uint32_t before = done.count;
    pubsub_sent made;
    take(r, *block, dense, done, made);
    const bool whole = made.sequences.size() == block->head.count;
    if (!made.sequences.empty()) hand(frame, *block, std::move(made), whole);
    if (done.count == before) break;
  }
  channel_->on_cut(done, now());
}

/// The part of one block that may leave, message by message.
void pubsub_world::take(const run& r, const fake_log::entry& block, bool dense, cut& done,
                        pubsub_sent& made) {
  const bool sifted = r.filter || r.since_ns != 0;
  block_packer packer;
  std::uint32_t waiting = 0;  // left out since the last that left
  entry_walker walker(block.body.bytes());
  entry e;
  for (std::uint64_t sequence = block.head.first_sequence; walker.next(e); ++sequence) {
    if (sequence < r.first + done.count) continue;
    const bool rotten = sequence >= unreadable.first && sequence < unreadable.end();
    if (rotten || done.count >= (sifted ? r.reach : r.count) || done.count >= run_max) break;
    const bool wanted = block.head.time_ns >= r.since_ns &&
                        (!r.filter || (!e.voided() && r.filter->matches(e.part(0))));
    if (!wanted) {
      ++waiting;
      ++done.count;
      continue;
    }
    const std::uint64_t bytes = e.whole.size();
    if (done.sent >= r.count || (done.sent != 0 && done.bytes + bytes > r.bytes)) break;
    const std::uint32_t voids = dense && !packer.empty() ? waiting : 0;
    for (std::uint32_t i = 0; i < voids; ++i) packer.add_void(0);
    waiting = 0;
    packer.add_entry(e.whole);
    made.sequences.push_back(sequence);
    ++done.count;
    ++done.sent;
    done.entries += voids + 1;
    done.bytes += bytes;
    done.last_sent = sequence;
  }
  if (!packer.empty()) made.body = packer.seal().body;
}

void pubsub_world::hand(const frame_out& frame, const fake_log::entry& block, pubsub_sent made,
                        bool whole) {
  small_head head = frame.head;
  if (frame.form != frame_form::plain) {
    deliver d;
    d.first_sequence = made.sequences.front();
    d.count = static_cast<std::uint16_t>(made.sequences.back() - made.sequences.front() + 1);
    d.whole = whole;
    d.time_ns = block.head.time_ns;
    d.body_sum = whole ? block.head.body_sum : 0;
    patch_deliver(head, d);
  }
  made.to = frame.to;
  made.form = frame.form;
  made.head = {head.bytes().begin(), head.bytes().end()};
  sent_.push_back(std::move(made));
}

void pubsub_world::check_accounts() {
  for (const auto& [number, s] : channel_->room().all()) {
    const identity c = s.counts(channel_->kept());
    check(c.in == c.sum(), "in equals the sum of where messages are");
    check(s.born() <= s.floor() && s.floor() <= s.next() && s.next() <= channel_->kept().next(),
          "a cursor lies within its stream");
  }
}

}  // namespace holdfast
