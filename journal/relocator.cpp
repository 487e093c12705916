#include "journal/relocator.hpp"

#include <algorithm>

#include "base/checksum.hpp"
#include "base/planted.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t look_every_ns = 100 * ms_ns;
constexpr std::uint64_t walk_bytes = 1ull << 20;    // of a segment, a turn
constexpr std::uint64_t move_bytes = 256ull << 10;  // appended, a turn
constexpr std::uint64_t emptied_allowance = 2;      // segments
constexpr std::uint64_t unsynced_max = 8ull << 20;  // messages of producers come first

}  // namespace

std::uint64_t relocator::deadline() const noexcept {
  if (core_.failed) return never_ns;
  if (draining_) return walked_ || waiting_ ? never_ns : 0;
  return core_.live_shrank ? looked_at_ + look_every_ns : never_ns;
}

bool relocator::step() {
  if (core_.failed) return false;
  apply();
  if (!draining_) look_for_work();
  if (!draining_) return false;
  segment* from = core_.segments.find(victim_);
  if (!from || from->live_rows == 0) {
    draining_ = walked_ = !moves_.empty();
    return false;
  }
  if (walked_) {
    if (moves_.empty()) end(*from);
    return false;
  }
  return walk(*from);
}

void relocator::restart() {
  moves_.clear();
  draining_ = false;
}

bool relocator::drainable(const segment& s) const noexcept {
  return &s != core_.active && s.in_log && s.file != 0 && !s.undrainable && s.live_rows != 0 &&
         s.end <= core_.synced_position && s.live_bytes < s.header.size / 2;
}

// Disk <= 2 x live + a constant: more than that is held. Emptied ones that still wait for
// checkpoints are a part of the constant.
bool relocator::wanted() const {
  if (core_.index.incomplete()) return false;  // what is live is not known yet
  const std::uint64_t size = core_.options.segment_bytes;
  std::uint64_t held = 0;
  std::uint64_t live = 0;
  std::uint64_t waiting = 0;
  for (const auto& s : core_.segments.all()) {
    if (s.get() == core_.active) continue;
    (s->live_rows == 0 ? waiting : held) += s->header.size;
    live += s->live_bytes;
  }
  return held + std::min(waiting, emptied_allowance * size) > 2 * live + emptied_allowance * size;
}

void relocator::look_for_work() {
  if (!core_.live_shrank || core_.now.now_ns < looked_at_ + look_every_ns) return;
  looked_at_ = core_.now.now_ns;
  core_.live_shrank = wanted();
  if (!core_.live_shrank) return;
  const segment* emptiest = nullptr;
  for (const auto& s : core_.segments.all())
    if (drainable(*s) && (!emptiest || s->live_bytes * emptiest->header.size <
                                           emptiest->live_bytes * s->header.size))
      emptiest = s.get();
  // What is moved needs a place beside the last segment of the reserve.
  core_.live_shrank = emptiest != nullptr;
  if (!emptiest || (spares_.count() < 2 && spares_.full())) return;
  draining_ = true;
  walked_ = waiting_ = false;
  victim_ = emptiest->base();
  at_ = emptiest->first_record();
}

// Goes through the records of the segment, for a slice. True if something was appended.
bool relocator::walk(segment& from) {
  const ticket before = core_.stats.records;
  const std::uint64_t to = std::min(from.end, at_ + walk_bytes);
  budget_ = move_bytes;
  waiting_ = false;
  while (at_ < to && budget_ != 0 && writer_.unsynced_bytes() < unsynced_max) {
    const auto seen = records_.look_at(from, at_, no_stream);
    if (seen.what == segment_reader::seen::pending) {
      waiting_ = true;
      break;
    }
    if (seen.what != segment_reader::seen::good) {
      from.undrainable = true;
      draining_ = false;
      break;
    }
    if (!visit(from, seen.header)) break;
    at_ += record_size(seen.header.body_len);
  }
  walked_ = draining_ && at_ >= from.end;
  const bool some = core_.stats.records != before;
  if (walked_ || some) writer_.sync_all();
  return some;
}

// Moves what is live of the record at the place the walk is at; false if it has to stop there.
bool relocator::visit(segment& from, const record_header& header) {
  const record_head& head = header.head;
  if (head.type != record_type::block) return true;
  live_.clear();
  core_.index.live_in(head.stream, {head.first_sequence, head.count}, from.base(), from.limit(),
                      live_);
  if (live_.empty()) return true;
  const auto seen = records_.look_at(from, at_, head.stream);
  waiting_ = seen.what == segment_reader::seen::pending;
  if (waiting_) return false;
  if (seen.what != segment_reader::seen::good) return true;  // it stays, and so does the segment
  from.drained = true;
  const bytes_view body = seen.record.bytes().subspan(record_header_bytes);
  if (!core_.options.cut_block) live_ = {{head.first_sequence, head.count}};
  for (const range& messages : live_) relocate(head, body, messages);
  return true;
}

void relocator::relocate(const record_head& head, bytes_view body, range messages) {
  record_head made = head;
  made.flags =
      static_cast<std::uint8_t>((head.flags & record_flag::compressed) | record_flag::relocated);
  const auto skip = static_cast<std::uint32_t>(messages.first - head.first_sequence);
  if (messages.count != head.count) {
    body = core_.options.cut_block(body, skip, static_cast<std::uint32_t>(messages.count));
    made.body_sum = checksum(body);
    made.first_sequence = messages.first;
    made.count = static_cast<std::uint16_t>(messages.count);
    if (head.producer != 0) made.producer_number += skip;
  }
  const std::uint64_t size = record_size(body.size());
  const std::uint64_t position = writer_.append_relocated(made, copy_to_buffer(body));
  moves_.push_back({head.stream, messages, {position, core_.active->base(), size}});
  budget_ -= std::min(budget_, size);
  ++core_.stats.relocated;
}

// Moves that are durable by now.
void relocator::apply() {
  std::size_t done = 0;
  for (; done < moves_.size(); ++done) {
    const move& next = moves_[done];
    const bool synced = next.to.position + next.to.bytes <= core_.synced_position;
    if (!synced && !planted(bug::move_before_synced)) break;
    core_.index.move(next.stream, next.messages, next.to);
  }
  moves_.erase(moves_.begin(), moves_.begin() + static_cast<std::ptrdiff_t>(done));
}

// All of it was looked at. What is live all the same was not found where it should be.
void relocator::end(segment& from) {
  draining_ = false;
  from.undrainable = from.live_rows != 0;
  looked_at_ = 0;
}

}  // namespace holdfast
