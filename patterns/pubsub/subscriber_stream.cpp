#include "patterns/pubsub/subscriber_stream.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

// An ack frame is a record at the device, so acks gather while the application has more to take.
constexpr std::uint64_t ack_delay_ns = 2 * ms_ns;

}  // namespace

bool subscriber_stream::take(delivered_run& run, entry& message) {
  if (!buffer_.take(run, message)) return false;
  ++taken_;
  position_ = run.sequence() + 1;
  skip_voids();
  return true;
}

bool subscriber_stream::take_run(delivered_run& run) {
  if (!buffer_.take_run(run)) return false;
  taken_ += run.head.count - run.next.index;
  position_ = run.head.first_sequence + run.head.count;
  skip_voids();
  return true;
}

status subscriber_stream::acked_through(std::uint64_t sequence) {
  if (sequence == 0 || sequence >= position_)
    return {errc::not_found, "this message was not received here"};
  acked_ = std::max(acked_, sequence);
  if (!durable()) confirmed_ = acked_;
  pass_gaps();
  return {};
}

std::vector<gap> subscriber_stream::take_gaps() {
  for (open_gap& g : open_gaps_) g.taken = true;
  pass_gaps();
  return std::exchange(gaps_, {});
}

void subscriber_stream::pass_gaps() {
  while (!open_gaps_.empty() && open_gaps_.front().taken && acked_ >= open_gaps_.front().before) {
    acked_ = std::max(acked_, open_gaps_.front().through);
    open_gaps_.pop_front();
  }
}

bool subscriber_stream::wants_to_send() const noexcept {
  const bool ack = acked_ > told_ && durable() && (ack_leaves() || ack_due_ns_ == never_ns);
  return stream_ != no_stream && (ack || credit_due());
}

// Behind what was received: an unnamed subscription lives here, a durable one at the device.
attach subscriber_stream::request() const {
  attach f;
  f.role = attach_role::consume;
  f.group = options_.durable;
  f.filter = options_.prefixes;
  f.start = options_.start;
  f.at = options_.at;
  if (next_ == 0) return f;
  // A device that has lost its journal must not begin the subscription anew: its sequences would
  // be taken for old ones.
  f.start = durable() ? start_at::known : start_at::sequence;
  f.at = durable() ? 0 : next_ + planted(bug::resumes_one_later);
  return f;
}

void subscriber_stream::on_attached(const attached& f, const welcome&, instant) {
  stream_ = f.stream;
  const bool other_epoch = std::exchange(epoch_, f.stream_epoch) != f.stream_epoch;
  // An unnamed one asked for `next`. A device that begins below has lost, with its life, what it
  // had told of it and not yet written.
  const bool lost = f.next_sequence < next_ && (other_epoch || !durable());
  if (next_ == 0 || lost) {
    begin_again_at(f.next_sequence);
  } else if (f.next_sequence > next_ && !durable()) {
    // The device begins later than it was asked to: what lies between is gone.
    on_gap({next_, f.next_sequence - next_}, gap_cause::retention);
  }
  if (durable()) told_ = confirmed_ = std::max(confirmed_, f.next_sequence - 1);
  base_messages_ = received_;
  base_bytes_ = received_bytes_;
  granted_messages_ = granted_bytes_ = 0;
  ack_number_ = 0;
}

void subscriber_stream::on_attach_refused(const attach_refused& f) {
  failure_ = {f.code, "the device refuses this subscription (" + std::string(name(f.code)) + ")" +
                          (f.text.empty() ? "" : ": " + f.text)};
}

void subscriber_stream::on_session_lost() {
  stream_ = no_stream;
  sent_acks_.clear();
  told_ = confirmed_;  // what was on its way is said again
  ack_due_ns_ = never_ns;
  hurry_ = reread_ = false;
}

bool subscriber_stream::on_frame(const client_input& in, instant) {
  const bytes_view head = in.head.bytes();
  if (in.type == frame_type::deliver) return on_deliver(in);
  if (in.type == frame_type::gap) {
    const auto f = decode_gap(head);
    if (f) on_gap(f->messages, f->cause);
    return f.ok();
  }
  if (in.type != frame_type::acked) return false;
  const auto f = decode_acked(head);
  if (!f || f->through > ack_number_) return false;
  std::size_t done = 0;
  for (; done < sent_acks_.size() && sent_acks_[done].number <= f->through; ++done)
    confirmed_ = std::max(confirmed_, sent_acks_[done].through);
  sent_acks_.erase(sent_acks_.begin(), sent_acks_.begin() + static_cast<std::ptrdiff_t>(done));
  return true;
}

void subscriber_stream::on_tick(instant at) {
  if (at.now_ns >= ack_due_ns_) hurry_ = true;
}

bool subscriber_stream::next(client_frame& out, std::uint32_t session, instant at) {
  if (stream_ == no_stream) return false;
  if (ack_leaves()) {
    const std::uint64_t first = told_ + 1;
    sent_acks_.push_back({++ack_number_, acked_});
    out.long_head = encode(session, ack{stream_, ack_number_, {{first, acked_ + 1 - first}}});
    told_ = acked_;
    ack_due_ns_ = never_ns;
    hurry_ = false;
  } else if (credit_due()) {
    granted_messages_ = messages_grantable();
    granted_bytes_ = bytes_grantable();
    encode(out.head, session, credit{stream_, granted_messages_, granted_bytes_, true});
  } else {
    if (durable() && acked_ > told_ && ack_due_ns_ == never_ns)
      ack_due_ns_ = at.now_ns + ack_delay_ns;
    return false;
  }
  return true;
}

bool subscriber_stream::on_deliver(const client_input& in) {
  const auto f = decode_deliver(in.head.bytes());
  if (!f || in.parts.size() != 1) return false;
  if (reread_) return true;  // the session ends; all of it comes again
  const buffer_ref& body = in.parts[0];
  const checked_body checked = check_delivery(*f, body.bytes());
  if (checked.state == body_state::broken) return false;
  received_ += f->count;
  received_bytes_ += body.size();
  if (checked.state == body_state::corrupt) return on_corrupt(*f, body.size());
  // A durable subscription begins again at its last ack, and what was shown here is not shown
  // twice.
  std::uint64_t seen = next_ > f->first_sequence ? next_ - f->first_sequence : 0;
  if (planted(bug::shown_twice)) seen = 0;
  const auto skip = static_cast<std::uint16_t>(std::min<std::uint64_t>(seen, f->count));
  taken_ += skip;
  if (skip == f->count) {
    buffer_.give_bytes(body.size());
    return true;
  }
  next_ = f->first_sequence + f->count;
  buffer_.add(*f, body, {1, 0, 0}, checked.voids, skip);
  skip_voids();
  return true;
}

// A body that was harmed on its way comes whole in another session. One that is not whole at the
// device either will never come.
bool subscriber_stream::on_corrupt(const deliver& f, std::uint64_t bytes) {
  taken_ += f.count;
  buffer_.give_bytes(bytes);
  if (std::exchange(corrupt_at_, f.first_sequence) == f.first_sequence)
    on_gap({f.first_sequence, f.count}, gap_cause::corrupt);
  else
    reread_ = true;
  return true;
}

void subscriber_stream::on_gap(range lost, gap_cause cause) {
  if (lost.end() <= next_) return;  // nothing of it was missing here
  const std::uint64_t first = std::max(lost.first, next_);
  gaps_.push_back({stream_, {first, lost.end() - first}, cause});
  if (durable()) open_gaps_.push_back({next_ - 1, lost.end() - 1});
  next_ = lost.end();
  if (buffer_.empty()) position_ = std::max(position_, next_);
}

void subscriber_stream::skip_voids() {
  buffer_.skip_voids([this](const delivery_ticket&, std::uint64_t sequence) {
    ++taken_;
    position_ = sequence + 1;
  });
}

// In a stream's new epoch its sequences may name other messages than before: what waits here was
// lost with the old one or comes again, and nothing counts as shown or acked.
void subscriber_stream::begin_again_at(std::uint64_t sequence) {
  buffer_.clear();
  open_gaps_.clear();
  buffer_.give_bytes(received_bytes_ - buffer_.bytes_taken());
  taken_ = received_;
  next_ = position_ = sequence;
  acked_ = confirmed_ = sequence - 1;
}

bool subscriber_stream::ack_leaves() const noexcept {
  return durable() && acked_ > told_ && (hurry_ || buffer_.empty());
}

// What waits here from sessions before counts against this one's credit.
std::uint64_t subscriber_stream::messages_grantable() const noexcept {
  const std::uint64_t waiting = received_ - taken_;
  const std::uint64_t room =
      waiting < options_.credit_messages ? options_.credit_messages - waiting : 0;
  return received_ - base_messages_ + room;
}

std::uint64_t subscriber_stream::bytes_grantable() const noexcept {
  const std::uint64_t waiting = received_bytes_ - buffer_.bytes_taken();
  const std::uint64_t room = waiting < options_.credit_bytes ? options_.credit_bytes - waiting : 0;
  return received_bytes_ - base_bytes_ + room;
}

// Credit goes out again once a quarter of it was used up, not for every message.
bool subscriber_stream::credit_due() const noexcept {
  const std::uint64_t messages = messages_grantable(), bytes = bytes_grantable();
  return (messages > granted_messages_ &&
          (messages - granted_messages_) * 4 >= options_.credit_messages) ||
         (bytes > granted_bytes_ && (bytes - granted_bytes_) * 4 >= options_.credit_bytes);
}

}  // namespace holdfast
