#include "patterns/outbox.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/checksum.hpp"
#include "base/planted.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

// A block that is not full leaves at once while fewer than this many are on their way; beyond that
// it fills until an ACCEPT comes. An idle line never waits, a busy one sends big blocks.
constexpr std::size_t eager_blocks_max = 16;

constexpr std::uint64_t probe_default_ns = 2 * second_ns;  // where the session has no heartbeat

}  // namespace

result<std::uint64_t> outbox::submit(std::span<const bytes_view> parts, std::uint64_t time_ns) {
  std::uint64_t bytes = 0;
  for (const bytes_view part : parts) bytes += part.size();
  if (!admits(bytes, parts.size())) return why_not(bytes, parts.size());
  if (!packer_.fits(bytes, parts.size())) seal();
  packer_.add(parts, time_ns);
  const std::uint64_t number = next_++;
  if (!packer_.fits(0, 1)) seal();  // full: it need not wait for another message
  return number;
}

result<std::uint64_t> outbox::submit_at(std::uint64_t number, std::span<const bytes_view> parts,
                                        std::uint64_t time_ns) {
  if (status why = follows(number); !why) return why;
  return number < next_ ? number : submit(parts, time_ns);
}

result<std::uint64_t> outbox::submit_void(std::uint64_t number, std::string_view reason,
                                          std::uint64_t time_ns) {
  if (status why = follows(number); !why) return why;
  if (number < next_) return number;
  reason = reason.substr(0, void_reason_bytes_max);
  if (!admits(reason.size(), 1)) return why_not(reason.size(), 1);
  if (!packer_.fits(reason.size(), 1)) seal();
  packer_.add_void(time_ns, reason);
  ++next_;
  if (!packer_.fits(0, 1)) seal();
  return number;
}

status outbox::follows(std::uint64_t number) const {
  if (number == 0) return {errc::invalid, "message numbers begin at 1"};
  if (!numbered_ && failure_.ok())
    return {errc::would_block, "the next number is not known before the first session"};
  if (number > next_)
    return {errc::invalid, "number " + std::to_string(number) +
                               " would leave a hole; the next is " + std::to_string(next_)};
  return {};
}

bool outbox::admits(std::uint64_t bytes, std::size_t parts) const noexcept {
  if (!failure_.ok() || !numbered_) return false;
  if (parts == 0 || parts > parts_max || bytes > options_.max_message) return false;
  return outstanding() == 0 || (outstanding() < options_.window_messages &&
                                bytes_ + packer_.bytes() + bytes <= options_.window_bytes);
}

// Text for would_block stays short: it is made each time a full window is met.
status outbox::why_not(std::uint64_t bytes, std::size_t parts) const {
  if (!failure_.ok()) return failure_.copy();
  if (!numbered_) return {errc::would_block, "not attached yet"};
  if (parts == 0 || parts > parts_max)
    return {errc::invalid, "a message has 1 to 65 535 parts, not " + std::to_string(parts)};
  if (bytes > options_.max_message)
    return {errc::too_large, "the message has " + std::to_string(bytes) + " bytes, the limit is " +
                                 std::to_string(options_.max_message)};
  return {errc::would_block, "window full"};
}

bool outbox::wants_to_send() const noexcept {
  if (stream_ == no_stream) return false;
  if (probe_) return true;
  if (held_ || !unsent()) return false;
  return at_ < blocks_.size() || blocks_.size() < eager_blocks_max;
}

attach outbox::request() const {
  attach f;
  f.role = attach_role::produce;
  f.address = options_.address;
  f.need = options_.need;
  return f;
}

void outbox::on_attached(const attached& f, const welcome& limits, instant at) {
  options_.max_message = std::min(options_.max_message, limits.max_message);
  if (limits.window_messages)
    options_.window_messages = std::min(options_.window_messages, limits.window_messages);
  if (limits.window_bytes)
    options_.window_bytes = std::min(options_.window_bytes, limits.window_bytes);
  probe_ns_ = limits.heartbeat_ms ? 2 * limits.heartbeat_ms * ms_ns : probe_default_ns;
  stream_ = f.stream;
  effective_ = f.effective;
  held_ = probe_ = false;
  probe_mark_ = 0;
  renumber(f);
  if (!failure_.ok()) return;
  accept_through(f.accepted_through + shift_, at);
  go_to(f.next_number + shift_);
  probe_at_ns_ = sent_ > accepted_ + 1 ? at.now_ns + probe_ns_ : never_ns;
}

// Settles what the device's next number means here: the start of the numbers, or, where the device
// has forgotten this producer, a shift between its numbers and ours.
void outbox::renumber(const attached& f) {
  if (!std::exchange(numbered_, true)) {
    next_ = sent_ = high_ = f.next_number;
    accepted_ = next_ - 1;
    return;
  }
  if (wire(accepted_ + 1) > f.next_number) {
    if (!options_.renumber) {
      failure_ = {errc::stale,
                  "the device has forgotten messages it accepted from this producer: "
                  "it expects number " +
                      std::to_string(f.next_number) + ", and " + std::to_string(accepted_) +
                      " were accepted"};
      return;
    }
    shift_ = accepted_ + 1 - f.next_number;
  }
  if (f.next_number + shift_ > high_)
    failure_ = {errc::stale, "the device has number " + std::to_string(f.next_number - 1) +
                                 " of this producer, which was never sent from here; use another "
                                 "producer id"};
}

void outbox::on_attach_refused(const attach_refused& f) {
  failure_ = {f.code, "the device refuses to take messages for this address (" +
                          std::string(name(f.code)) + ")" + (f.text.empty() ? "" : ": " + f.text)};
}

void outbox::on_session_lost() {
  stream_ = no_stream;
  probe_at_ns_ = never_ns;
}

bool outbox::on_frame(const client_input& in, instant at) {
  const bytes_view head = in.head.bytes();
  switch (in.type) {
    case frame_type::accept: {
      const auto f = decode_accept(head);
      if (f) accept_through(f->through + shift_ + planted(bug::accept_one_more), at);
      return f.ok();
    }
    case frame_type::resync: {
      const auto f = decode_resync(head);
      // The answer to a PROBE that found nothing missing: what was sent after it is on its way.
      if (f && f->expected + shift_ != std::exchange(probe_mark_, 0)) go_to(f->expected + shift_);
      return f.ok();
    }
    case frame_type::resume: {
      const auto f = decode_resume(head);
      if (f) {
        held_ = false;
        go_to(f->expected + shift_);
      }
      return f.ok();
    }
    case frame_type::refuse: {
      const auto f = decode_refuse(head);
      return f && on_refuse(*f, at);
    }
    default: return false;
  }
}

void outbox::on_tick(instant at) {
  if (at.now_ns < probe_at_ns_) return;
  probe_ = true;
  probe_at_ns_ = at.now_ns + probe_ns_;
}

std::uint64_t outbox::next_deadline() const {
  return probe_at_ns_;
}

bool outbox::next(client_frame& out, std::uint32_t session, instant at) {
  if (std::exchange(probe_, false)) {
    probe_mark_ = sent_;
    encode(out.head, session, probe{stream_});
    return true;
  }
  if (!wants_to_send()) return false;
  if (at_ == blocks_.size()) seal();
  const pending& p = blocks_[at_];
  check(p.first == sent_, "the block sent next begins at the number sent next");
  encode(out.head, session,
         publish{stream_, wire(p.first), p.block.count, p.block.props_mask, p.block.body_sum});
  out.body = p.block.body;
  sent_ = p.end();
  high_ = std::max(high_, sent_);
  ++at_;
  if (probe_at_ns_ == never_ns) probe_at_ns_ = at.now_ns + probe_ns_;
  return true;
}

void outbox::seal() {
  const std::uint64_t first = next_ - packer_.count();
  blocks_.push_back({packer_.seal(), first});
  bytes_ += blocks_.back().block.body.size();
}

void outbox::accept_through(std::uint64_t number, instant at) {
  if (number <= accepted_ || number >= high_) return;
  accepted_ = number;
  while (!blocks_.empty() && blocks_.front().end() <= accepted_ + 1) {
    bytes_ -= blocks_.front().block.body.size();
    blocks_.pop_front();
    if (at_ > 0) --at_;
  }
  // The device has what this session has not sent again yet.
  if (sent_ <= accepted_) go_to(accepted_ + 1);
  probe_at_ns_ = sent_ > accepted_ + 1 ? at.now_ns + probe_ns_ : never_ns;
}

// Sends from `number` on. What was ever sent is sealed, so the number lies in a block or behind
// them all.
void outbox::go_to(std::uint64_t number) {
  sent_ = std::clamp(number, accepted_ + 1, high_);
  at_ = 0;
  while (at_ < blocks_.size() && blocks_[at_].end() <= sent_) ++at_;
  if (at_ < blocks_.size() && blocks_[at_].first < sent_) split(at_, sent_);
}

// Devices take blocks whole, so this is for one that says a number inside a block: the rest becomes
// a block of its own.
void outbox::split(std::size_t index, std::uint64_t number) {
  pending& p = blocks_[index];
  const auto skip = static_cast<std::uint32_t>(number - p.first);
  const auto parted = [&](std::uint32_t from, std::uint32_t count) {
    const entry_run run = cut_entries(p.block.body.bytes(), from, count, ~std::uint64_t{0});
    pending made = p;
    made.first = p.first + from;
    made.block.count = static_cast<std::uint16_t>(run.count);
    made.block.body = p.block.body.slice(run.at, run.size);
    made.block.body_sum = checksum(made.block.body.bytes());
    return made;
  };
  pending tail = parted(skip, p.block.count - skip);
  p = parted(0, skip);
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(tail));
  at_ = index + 1;
}

bool outbox::on_refuse(const refuse& f, instant) {
  if (!f.permanent) {
    held_ = true;
    return true;
  }
  const std::uint64_t number = f.first_number + shift_ + f.bad_entry;
  if (number <= accepted_) return true;  // settled meanwhile
  for (std::size_t i = 0; i < at_ && i < blocks_.size(); ++i) {
    if (blocks_[i].end() <= number) continue;
    if (blocks_[i].first > number) return false;
    reject(i, f);
    return true;
  }
  return false;  // names what was not sent
}

// Entry k becomes void and the block is sent again. A block refused for an entry that is void
// already is beyond repair: all of it becomes void.
void outbox::reject(std::size_t index, const refuse& f) {
  pending& p = blocks_[index];
  const std::uint64_t bad = f.first_number + shift_ + f.bad_entry;
  entry_walker before(p.block.body.bytes());
  entry e;
  bool again = false;
  for (std::uint64_t n = p.first; before.next(e); ++n) again |= n == bad && e.voided();

  block_packer repacked;
  entry_walker walker(p.block.body.bytes());
  for (std::uint64_t n = p.first; walker.next(e); ++n) {
    if (e.voided() || (n != bad && !again)) {
      repacked.add_entry(e.whole);
      continue;
    }
    repacked.add_void(0, std::string_view(f.text).substr(0, e.data.size()));  // it must fit
    rejections_.push_back({n, f.code, f.text});
  }
  bytes_ -= p.block.body.size();
  p.block = repacked.seal();
  bytes_ += p.block.body.size();
  go_to(p.first);
}

}  // namespace holdfast
