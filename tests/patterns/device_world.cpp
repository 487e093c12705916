#include "tests/patterns/device_world.hpp"

namespace holdfast {

device_world::device_world(pipeline_options options, std::uint64_t seed)
    : channel_world(std::move(options), seed) {
  begin();
}

void device_world::told(const ready& asked) {
  for (const auto& [stream, messages] : asked.settled)
    if (stream == 1) settled.push_back(messages);
}

/// Whole blocks, or runs of entries, until the limits.
void device_world::cut_run(const frame_out& frame, const run& r) {
  cut done;
  done.token = r.token;
  if (!channel_->awaits(r)) return channel_->on_cut(done, now());
  while (done.count < r.count && (done.count == 0 || done.bytes < r.bytes)) {
    const std::uint64_t sequence = r.first + done.count;
    if (sequence >= unreadable.first && sequence < unreadable.end()) {
      done.missing = {sequence, unreadable.end() - sequence};
      break;
    }
    const fake_log::entry* block = log_.find(r.stream, sequence);
    check(block != nullptr, "a run names messages that are in the log");
    const auto skip = static_cast<std::uint32_t>(sequence - block->head.first_sequence);
    const std::uint32_t left = block->head.count - skip;
    std::uint32_t count = r.whole_blocks ? std::min(left, r.reach - done.count)
                                         : std::min(left, r.count - done.count);
    const std::uint64_t bytes = r.whole_blocks ? ~std::uint64_t{0} : r.bytes - done.bytes;
    const entry_run part = cut_entries(block->body.bytes(), skip, count, bytes);
    deliver d;
    d.stream = r.stream;
    d.first_sequence = sequence;
    d.count = static_cast<std::uint16_t>(part.count);
    d.whole = skip == 0 && part.count == block->head.count;
    d.time_ns = block->head.time_ns;
    d.body_sum = block->head.body_sum;
    small_head head = frame.head;
    if (frame.form != frame_form::plain)
      patch_deliver(head, d);
    else if (head.bytes().size() == 16)
      store(head.writable().data() + 8, sequence);
    sent_.push_back({frame.to,
                     frame.form,
                     {head.bytes().begin(), head.bytes().end()},
                     block->body.slice(part.at, part.size)});
    done.count += part.count;
    done.bytes += part.size;
    if (part.count < count) break;
  }
  channel_->on_cut(done, now());
}

void device_world::check_accounts() {
  for (const auto& q : channel_->queues()) check_accounts_of(*q);
}

identity device_world::counts(stream_id stream) {
  for (const auto& q : channel_->queues())
    if (q->def().stream == stream) return q->counts();
  return {};
}

}  // namespace holdfast
