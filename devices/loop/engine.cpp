#include "devices/loop/engine.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "journal/options.hpp"
#include "patterns/range_list.hpp"

namespace holdfast {
namespace {

/// A turn looks through so many blocks of filtered runs without finding anything, and what one more
/// run takes; the rest is for later turns.
constexpr std::uint32_t fruitless_blocks_max = 256;

}  // namespace

forgotten_numbers forgotten_by(const open_report& found) {
  const bool cut = !found.possibly.empty();  // it was handed out if it is rot, not a torn write
  if (!cut && !found.other_boot) return {};
  return {static_cast<std::uint32_t>(found.epoch), cut};
}

engine::engine(log& records, catalog& names, outlet& out, checkpoint_target* to,
               std::size_t slice_bytes)
    : log_(&records), names_(&names), out_(&out), checkpoint_to_(to), slice_bytes_(slice_bytes) {}

std::uint32_t engine::add_channel(std::string name, std::unique_ptr<pattern> channel) {
  channels_.push_back({std::move(name), std::move(channel)});
  return static_cast<std::uint32_t>(channels_.size() - 1);
}

void engine::restore(bytes_view checkpoint_rows) {
  state_reader rows(checkpoint_rows);
  names_->restore(rows);
  for (channel_slot& c : channels_) {
    rows.rewind();
    c.machine->restore(rows);
  }
}

void engine::replay(std::span<const record_view> records) {
  names_->replay(records);
  for (channel_slot& c : channels_) c.machine->replay(records);
}

void engine::start(instant at, forgotten_numbers by_the_log) {
  names_->set_forgotten(by_the_log);
  step_ = {at, log_->available(), log_->progress()};
  for (channel_slot& c : channels_) c.machine->start(step_);
  if (checkpoint_to_)
    checkpoints_ = std::make_unique<checkpointer>(
        *checkpoint_to_, channels_.size() + 1, slice_bytes_,
        [this](std::size_t i, state_writer& rows, std::size_t budget) {
          return write_part(i, rows, budget);
        });
  drain();
}

stream_id engine::stream_of(std::uint32_t channel, std::string_view address) {
  const stream_id stream =
      names_->define_stream(channels_[channel].name, address, step_.at, defined_).stream;
  append(defined_.records);
  defined_.clear();
  return stream;
}

void engine::begin(instant at) {
  step_.at = at;
  ++counts_.turns;
  scan_left_ = fruitless_blocks_max;
  take_marks();
  room_grew_ = false;  // this turn's messages come now
}

/// Takes in how far the log has come and lets frames go that waited for it. True if it moved.
bool engine::take_marks() {
  const marks now = log_->progress();
  const bool news = now.written != step_.log.written || now.synced != step_.log.synced ||
                    now.failure != step_.log.failure;
  const room left = log_->available();
  const bool grew = left.message_bytes > step_.available.message_bytes ||
                    left.reply_bytes > step_.available.reply_bytes;
  room_grew_ = room_grew_ || grew;
  moved_ = moved_ || news || grew;  // what waited for room is tried again
  step_.log = now;
  step_.available = left;
  held_.release(now, [this](held_frame& f) { return emit(f.channel, f.frame); });
  return news;
}

void engine::on_frames(std::uint32_t channel, std::span<frame_in> frames) {
  channels_[channel].machine->on_frames(frames, step_);
  drain_channel(channel);
}

void engine::on_plain(std::uint32_t channel, std::span<plain_block> blocks) {
  channels_[channel].machine->on_plain(blocks, step_);
  drain_channel(channel);
}

void engine::on_plain_joined(std::uint32_t channel, const plain_peer& peer) {
  channels_[channel].machine->on_plain_joined(peer, step_);
}

void engine::on_plain_report(std::uint32_t channel, const plain_report& report) {
  channels_[channel].machine->on_plain_report(report, step_);
}

void engine::on_plain_acks(std::uint32_t channel, std::span<const delivery_id> acks) {
  channels_[channel].machine->on_plain_acks(acks, step_);
}

void engine::on_peer_lost(std::uint32_t channel, peer_id peer) {
  held_.forget(peer);
  channels_[channel].machine->on_peer_lost(peer, step_);
}

void engine::end(bool idle) {
  tick();
  if (idle) log_->before_sleep();
  // What is small on an idle line is done at once: its accept need not wait for another turn.
  if (take_marks()) tick();
  settle();
  if (checkpoints_) checkpoints_->step();
}

void engine::tick() {
  for (channel_slot& c : channels_)
    if (moved_ || c.machine->next_deadline() <= step_.at.now_ns) c.machine->on_tick(step_);
  moved_ = false;
  drain();
}

std::uint64_t engine::next_deadline() const {
  if (checkpoint_writing() || moved_ || scan_left_ == 0) return 0;
  std::uint64_t next = log_->next_deadline();
  for (const channel_slot& c : channels_) next = std::min(next, c.machine->next_deadline());
  return next;
}

std::vector<channel_stats> engine::report() const {
  std::vector<channel_stats> all(channels_.size());
  for (std::size_t i = 0; i < channels_.size(); ++i) channels_[i].machine->report(all[i]);
  return all;
}

/// A run that was cut makes its pattern ready again, so until nothing comes.
void engine::drain() {
  for (std::uint32_t i = 0; i < channels_.size(); ++i)
    while (drain_channel(i)) {
    }
}

bool engine::drain_channel(std::uint32_t channel) {
  ready_.clear();
  pattern& machine = *channels_[channel].machine;
  machine.take_ready(ready_);
  if (ready_.empty()) return false;
  const std::size_t records = ready_.records.size();
  const ticket last = append(ready_.records);
  if (records > 0) machine.on_appended(last);
  for (frame_out& frame : ready_.frames) {
    check(frame.after <= records, "a frame waits for records of its own ready");
    route(channel, last - records, frame);
  }
  const ticket told = records > 0 ? last : 0;
  for (const auto& [stream, messages] : ready_.settled)
    finished_.push_back({told, stream, messages});
  for (const auto& [stream, to] : ready_.trimmed) trimmed_.push_back({told, stream, to});
  return true;
}

/// Ticket of the last item; the last ticket so far if there is none.
ticket engine::append(std::vector<append_item>& items) {
  if (items.empty()) return step_.log.appended;
  counts_.records += items.size();
  for (const append_item& item : items) counts_.record_bytes += item.body.size();
  step_.log.appended = log_->append(items);
  step_.available = log_->available();
  return step_.log.appended;
}

void engine::route(std::uint32_t channel, ticket base, frame_out& frame) {
  const ticket after = frame.after > 0 ? base + frame.after : 0;
  if (!held_.holds(frame.to) && after <= step_.log.at(frame.need) && emit(channel, frame)) return;
  held_.push({after, channel, std::move(frame)});
}

bool engine::emit(std::uint32_t channel, frame_out& frame) {
  if (std::holds_alternative<run>(frame.body)) return emit_run(channel, frame);
  ++counts_.frames;
  if (frame.form == frame_form::enveloped)
    out_->send_enveloped(frame.to, frame.envelope, nullptr, {}, 0);
  else if (const auto* head = std::get_if<buffer_ref>(&frame.body))
    out_->send(frame.to, head->bytes(), head, {});
  else
    out_->send(frame.to, frame.head.bytes(), nullptr, {});
  return true;
}

bool engine::emit_run(std::uint32_t channel, frame_out& frame) {
  const run& what = std::get<run>(frame.body);
  pattern& machine = *channels_[channel].machine;
  const bool late = step_.at.real_ns >= frame.until_real_ns && !planted(bug::late_run_leaves);
  if (late || (!machine.awaits(what) && !planted(bug::lost_taker_gets_run))) {
    cut untouched;
    untouched.token = what.token;
    machine.on_cut(untouched, step_);
    return true;
  }
  if (what.filter && scan_left_ == 0) return false;
  const bool dense = frame.form == frame_form::hfp || frame.form == frame_form::simple;
  if (!walker_.resolve(*log_, what, dense)) return false;
  for (const piece& part : walker_.pieces()) emit_piece(frame, part);
  const cut outcome = walker_.outcome();
  walker_.clear();
  if (what.filter && outcome.sent == 0) scan_left_ -= std::min(scan_left_, walker_.looked_at());
  counts_.delivered_messages += outcome.sent;
  counts_.delivered_bytes += outcome.bytes;
  counts_.unreadable += outcome.missing.count;
  machine.on_cut(outcome, step_);
  return true;
}

void engine::settle() {
  std::size_t done = 0;
  while (done < finished_.size() && finished_[done].after <= step_.log.synced) {
    const stream_id stream = finished_[done].stream;
    settling_.clear();
    for (; done < finished_.size() && finished_[done].stream == stream &&
           finished_[done].after <= step_.log.synced;
         ++done)
      add_range(settling_, finished_[done].messages);
    log_->settle(stream, settling_);
  }
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(done));
  while (!trimmed_.empty() && trimmed_.front().after <= step_.log.synced) {
    log_->trim(trimmed_.front().stream, trimmed_.front().to);
    trimmed_.pop_front();
  }
}

bool engine::write_part(std::size_t index, state_writer& rows, std::size_t budget) {
  return index == 0 ? names_->snapshot(rows, budget)
                    : channels_[index - 1].machine->snapshot(rows, budget);
}

}  // namespace holdfast
