#include "patterns/queue/assignment.hpp"

#include <algorithm>
#include <bit>

#include "patterns/frame_codec.hpp"
#include "patterns/range_list.hpp"

namespace holdfast {
namespace {

// An ack frame is a record at the device, so acks gather while the application has more to take.
constexpr std::uint64_t ack_delay_ns = 2 * ms_ns;
constexpr std::uint64_t acks_eager = 4096;

// Adds one message to the last of `asked` if it asks the same, else begins a new one.
template <class F, class Same>
void gather(std::vector<F>& asked, F made, std::uint64_t sequence, Same same) {
  if (!asked.empty() && same(asked.back(), made) && asked.back().ranges.back().end() == sequence) {
    ++asked.back().ranges.back().count;
    return;
  }
  if (asked.empty() || !same(asked.back(), made) || asked.back().ranges.size() == ranges_max)
    asked.push_back(std::move(made));
  asked.back().ranges.push_back({sequence, 1});
}

}  // namespace

bool assignment::take(delivered_run& run, entry& message) {
  if (!buffer_.take(run, message)) return false;
  skip_voids();
  return true;
}

bool assignment::take_run(delivered_run& run) {
  if (!buffer_.take_run(run)) return false;
  if (run.voids) ack_voids(run);
  skip_voids();
  return true;
}

void assignment::ack_voids(const delivered_run& run) {
  delivery_ticket at = run.next;
  entry_walker walker(run.rest);
  for (entry e; walker.next(e); ++at.index)
    if (e.voided()) (void)acked(at);
}

status assignment::acked(const delivery_ticket& message) {
  held* h = find(message);
  if (!h) return not_held(message);
  const std::uint64_t sequence = h->first + message.index;
  if (!settle(*h, message.slot, message.index)) return not_held(message);
  add_acks(sequence, 1);
  return {};
}

status assignment::acked(const delivery_ticket& first, std::uint16_t count) {
  held* h = find(first);
  if (!h) return not_held(first);
  const std::uint64_t base = h->first;
  const std::uint32_t end = std::min<std::uint32_t>(first.index + count, h->count);
  for (std::uint32_t index = first.index, run = 0; index < end; index += std::max(run, 1u)) {
    run = settle_run(*h, first.slot, index, end);
    if (run > 0) add_acks(base + index, run);
  }
  return {};
}

status assignment::refused(const delivery_ticket& message, nack_kind kind, std::uint64_t delay_ms,
                           std::string reason) {
  if (reason.size() > reason_bytes_max || delay_ms > delay_ms_max)
    return {errc::invalid, "a reason has at most 1024 bytes, a delay at most a year"};
  held* h = find(message);
  if (!h) return not_held(message);
  const std::uint64_t sequence = h->first + message.index;
  if (!settle(*h, message.slot, message.index)) return not_held(message);
  gather(nacks_, nack{stream_, kind, delay_ms, std::move(reason), {}}, sequence,
         [](const nack& a, const nack& b) {
           return a.kind == b.kind && a.delay_ms == b.delay_ms && a.reason == b.reason;
         });
  return {};
}

status assignment::touched(const delivery_ticket& message, std::uint64_t extend_ms) {
  if (extend_ms > delay_ms_max) return {errc::invalid, "a lease is extended by a year at most"};
  const held* h = find(message);
  if (!h) return not_held(message);
  gather(touches_, touch{stream_, extend_ms, {}}, h->first + message.index,
         [](const touch& a, const touch& b) { return a.extend_ms == b.extend_ms; });
  return {};
}

result<std::uint64_t> assignment::let_go(const delivery_ticket& message) {
  held* h = find(message);
  if (!h) return not_held(message);
  const std::uint64_t sequence = h->first + message.index;
  if (!settle(*h, message.slot, message.index)) return not_held(message);
  return sequence;
}

bool assignment::acks_durable() const noexcept {
  return acks_.empty() && ack_through_ >= ack_number_;
}

bool assignment::wants_to_send() const noexcept {
  // Acks whose time is not set yet want next() to set it.
  const bool acks = !acks_.empty() && (acks_leave() || acks_due_ns_ == never_ns);
  return stream_ != no_stream && (acks || !nacks_.empty() || !touches_.empty() || credit_due());
}

attach assignment::request() const {
  attach f;
  f.role = options_.role;
  f.address = options_.address;
  return f;
}

void assignment::on_attached(const attached& f, const welcome&, instant) {
  stream_ = f.stream;
  lease_ms_ = f.lease_ms;
  settled_ = granted_messages_ = granted_bytes_ = 0;
  buffer_.restart_bytes();
  ack_number_ = ack_through_ = 0;
}

void assignment::on_attach_refused(const attach_refused& f) {
  failure_ = {f.code, "the device refuses to deliver from this address (" +
                          std::string(name(f.code)) + ")" + (f.text.empty() ? "" : ": " + f.text)};
}

void assignment::on_session_lost() {
  stream_ = no_stream;
  session_serial_ = next_serial_;
  acks_lost_ |= !acks_durable();
  ack_number_ = ack_through_ = 0;
  acks_.clear();
  gathered_ = 0;
  acks_due_ns_ = never_ns;
  hurry_ = false;
  nacks_.clear();
  touches_.clear();
  buffer_.clear();
  unsettled_ = 0;
  free_slots_.clear();
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    slots_[i].serial = 0;
    free_slots_.push_back(i);
  }
}

bool assignment::on_frame(const client_input& in, instant) {
  if (in.type == frame_type::deliver) return on_deliver(in);
  if (in.type != frame_type::acked) return false;
  const auto f = decode_acked(in.head.bytes());
  if (!f || f->through > ack_number_) return false;
  ack_through_ = std::max(ack_through_, f->through);
  return true;
}

void assignment::on_tick(instant at) {
  if (at.now_ns >= acks_due_ns_) hurry_ = true;
}

bool assignment::next(client_frame& out, std::uint32_t session, instant at) {
  if (stream_ == no_stream) return false;
  if (acks_leave()) {
    send_acks(out, session);
  } else if (!nacks_.empty()) {
    out.long_head = encode(session, nacks_.front());
    nacks_.erase(nacks_.begin());
  } else if (!touches_.empty()) {
    out.long_head = encode(session, touches_.front());
    touches_.erase(touches_.begin());
  } else if (credit_due()) {
    granted_messages_ = settled_ + options_.credit_messages;
    granted_bytes_ = buffer_.bytes_taken() + options_.credit_bytes;
    encode(out.head, session,
           credit{stream_, granted_messages_, granted_bytes_, options_.whole_blocks});
  } else {
    if (!acks_.empty() && acks_due_ns_ == never_ns) acks_due_ns_ = at.now_ns + ack_delay_ns;
    return false;
  }
  return true;
}

bool assignment::on_deliver(const client_input& in) {
  const auto f = decode_deliver(in.head.bytes());
  if (!f || in.parts.size() != 1) return false;
  const buffer_ref& body = in.parts[0];
  const checked_body checked = check_delivery(*f, body.bytes());
  if (checked.state == body_state::broken) return false;
  const std::uint32_t slot = hold(*f);
  const delivery_ticket first{slots_[slot].serial, slot, 0};
  if (checked.state == body_state::corrupt) {
    // Which entries are bad is of no use: the device reads the block again, verified from the disk.
    ++corrupt_;
    buffer_.give_bytes(body.size());
    for (std::uint16_t i = 0; i < f->count; ++i)
      (void)refused({first.serial, slot, i}, nack_kind::nack, 0, "sums do not hold");
    return true;
  }
  buffer_.add(*f, body, first, checked.voids);
  skip_voids();
  return true;
}

std::uint32_t assignment::hold(const deliver& f) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  held& h = slots_[slot];
  h.serial = next_serial_++;
  h.first = f.first_sequence;
  h.count = h.open = f.count;
  h.settled.assign((f.count + 63u) / 64, 0);
  unsettled_ += f.count;
  return slot;
}

assignment::held* assignment::find(const delivery_ticket& message) {
  if (message.slot >= slots_.size() || message.serial == 0) return nullptr;
  held& h = slots_[message.slot];
  return h.serial == message.serial && message.index < h.count ? &h : nullptr;
}

// Settles what is open from `index` on, up to `end` or the next message that is settled, within 64
// messages; how many that were.
std::uint32_t assignment::settle_run(held& h, std::uint32_t slot, std::uint32_t index,
                                     std::uint32_t end) {
  if (index >= h.count) return 0;
  std::uint64_t& word = h.settled[index / 64];
  const std::uint32_t in_word = std::min(end - index, 64 - index % 64);
  const std::uint32_t open = static_cast<std::uint32_t>(std::countr_zero(word >> index % 64));
  const std::uint32_t run = std::min(in_word, open);
  if (run == 0) return 0;
  word |= ~std::uint64_t{0} >> (64 - run) << index % 64;
  settled_ += run;
  unsettled_ -= run;
  h.open = static_cast<std::uint16_t>(h.open - run);
  if (h.open == 0) {
    h.serial = 0;
    free_slots_.push_back(slot);
  }
  return run;
}

status assignment::not_held(const delivery_ticket& message) const {
  if (message.serial < session_serial_)
    return {errc::stale, "the session it was delivered in is gone; the device hands it out again"};
  return {errc::not_found, "this delivery is settled already"};
}

void assignment::skip_voids() {
  buffer_.skip_voids([this](const delivery_ticket& at, std::uint64_t) { (void)acked(at); });
}

void assignment::add_acks(std::uint64_t sequence, std::uint32_t count) {
  gathered_ += count;
  if (!acks_.empty() && acks_.back().end() == sequence)
    acks_.back().count += count;
  else
    acks_.push_back({sequence, count});
}

bool assignment::acks_leave() const noexcept {
  return !acks_.empty() && (hurry_ || buffer_.empty() || gathered_ >= acks_eager);
}

// Credit goes out again once a quarter of it was used up, not for every message.
bool assignment::credit_due() const noexcept {
  const std::uint64_t messages = settled_ + options_.credit_messages - granted_messages_;
  const std::uint64_t bytes = buffer_.bytes_taken() + options_.credit_bytes - granted_bytes_;
  return messages * 4 >= options_.credit_messages || bytes * 4 >= options_.credit_bytes;
}

void assignment::send_acks(client_frame& out, std::uint32_t session) {
  sort_and_merge(acks_);
  ack f{stream_, ++ack_number_, {}};
  const std::size_t now = std::min(acks_.size(), ranges_max);
  f.ranges.assign(acks_.begin(), acks_.begin() + static_cast<std::ptrdiff_t>(now));
  acks_.erase(acks_.begin(), acks_.begin() + static_cast<std::ptrdiff_t>(now));
  if (acks_.empty()) {
    gathered_ = 0;
    acks_due_ns_ = never_ns;
    hurry_ = false;
  }
  out.long_head = encode(session, f);
}

}  // namespace holdfast
