// feed: a far pub/sub channel to the local one, every message once and in order.
//
// The mirror of the uplink: a local producer's number is the message's sequence in the far journal
// (less a base, see numbering.hpp), so the local journal itself says where to go on, and what comes
// again is known here. The far device keeps a durable subscription, whose cursor moves only behind
// what is accepted here. Sequences without a message (void, retention) become void numbers.
#include <poll.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "devices/sidecar/bridge.hpp"
#include "devices/sidecar/complaint.hpp"
#include "devices/sidecar/numbering.hpp"
#include "holdfast/pubsub.hpp"

namespace holdfast {
namespace {

constexpr milliseconds now_or_never{0}, leave_wait{2000};
constexpr int rest_ms = 250, opening_rest_ms = 20;
constexpr std::uint64_t tell_ns = second_ns / 4;

class feed final : public bridge {
 public:
  feed(bridge_options options, numbering numbers, subscriber far, producer local)
      : options_(std::move(options)),
        numbers_(numbers),
        far_(std::move(far)),
        local_(std::move(local)) {}
  status run(int stop) override;

 private:
  // Received there, given to the local device.
  struct carried {
    batch messages;
    std::uint64_t last = 0;  // sequence
  };
  status carry(int stop);
  status turn();
  status align();
  status begin_generation();
  status take_accepted();
  void take_gaps();
  result<bool> next_batch();
  status send_current();
  status send_one(const delivery& message);
  status skip(std::uint64_t end, const char* reason);
  void tell(std::uint64_t now);

  bridge_options options_;
  numbering numbers_;
  subscriber far_;
  producer local_;
  bool aligned_ = false;
  std::uint64_t next_ = 0;      // sequence that is given to the local device next
  std::uint64_t accepted_ = 0;  // sequence; all up to it are here
  std::optional<carried> current_;
  batch::iterator at_ = batch().end();
  std::deque<carried> sent_;
  bridge_report report_;
  complaint refused_;
  std::uint64_t told_ns_ = 0;
};

status feed::run(int stop) {
  status ended = carry(stop);
  if (ended.kind() != errc::not_found) return ended;
  if (aligned_) (void)local_.flush(leave_wait);  // nobody else has it any more
  return begin_generation();
}

status feed::carry(int stop) {
  report_.state = "connecting";
  for (;;) {
    pollfd polled[] = {{stop, POLLIN, 0}, {local_.fd(), POLLIN, 0}, {far_.fd(), POLLIN, 0}};
    if (current_ || !aligned_) polled[2].fd = -1;
    if (::poll(polled, 3, aligned_ ? rest_ms : opening_rest_ms) > 0 && polled[0].revents != 0)
      break;
    if (status moved = turn(); !moved) return moved;
    tell(monotonic_now());
  }
  if (!aligned_) return {};
  const status kept = local_.flush(leave_wait);  // refusals are told below
  if (status taken = take_accepted(); !taken) return taken;
  return far_.flush(leave_wait);
}

status feed::turn() {
  if (!aligned_)
    if (status known = align(); !known || !aligned_) return known;
  if (status taken = take_accepted(); !taken) return taken;
  do {
    take_gaps();
    if (!current_) {
      const auto got = next_batch();
      if (!got) return {got.kind(), std::string(got.text())};
      if (!*got) break;
    }
    if (status sent = send_current(); !sent) return sent;
  } while (!current_);
  return take_accepted();  // what was here already is acked at once
}

// Where the far subscription goes on, and where the local journal does.
status feed::align() {
  if (status known = far_.wait_subscribed(now_or_never); !known)
    return known.kind() == errc::would_block ? status{} : std::move(known);
  auto next = local_.next_number(now_or_never);
  if (next.kind() == errc::would_block) return {};
  if (!next) return next.take_status();
  if (numbers_.base == numbering::not_known) {
    numbers_.base = far_.position() - 1;
    if (status stored = store_numbering(options_.directory, numbers_); !stored) return stored;
  }
  next_ = *next + numbers_.base;
  accepted_ = next_ - 1;
  aligned_ = true;
  report_.state = "running";
  log_info("sidecar: everything of " + options_.far + " up to " + std::to_string(accepted_) +
           " is here");
  return {};
}

// errc::stale: the next opening subscribes anew, from the first message of that journal on.
status feed::begin_generation() {
  const numbering next{numbers_.generation + 1, numbering::not_known};
  if (status stored = store_numbering(options_.directory, next); !stored) return stored;
  return {errc::stale, "the far device at " + options_.far +
                           " knows nothing of this subscription any more: its journal is another "
                           "one; it is read from its first message on"};
}

void feed::take_gaps() {
  for (const gap_notice& gone : far_.take_gaps()) {
    report_.missing += gone.count;
    log_warning("sidecar: " + options_.far + " no longer has " + std::to_string(gone.first) +
                " to " + std::to_string(gone.first + gone.count - 1) + ": " +
                (gone.cause == gap_notice::reason::retention
                     ? "its retention was shorter than this sidecar's absence"
                     : "they are unreadable or lost there"));
  }
}

status feed::take_accepted() {
  const std::uint64_t through = local_.accepted_through() + numbers_.base;
  for (const refusal& one : local_.take_refusals()) {
    ++report_.refused;
    refused_.say("message " + std::to_string(one.number + numbers_.base) + " of " + options_.far +
                     " cannot be kept here: " + one.reason +
                     "; it stays there until its retention ends, subscribers here miss it",
                 monotonic_now());
  }
  if (through > accepted_) {
    report_.carried += through - accepted_;
    accepted_ = through;
  }
  for (; !sent_.empty() && sent_.front().last <= accepted_; sent_.pop_front())
    if (status acked = far_.ack(sent_.front().messages);
        !acked && acked.kind() != errc::stale && acked.kind() != errc::not_found)
      return acked;
  return local_.next_number(now_or_never).take_status();  // a final failure shows without a send
}

result<bool> feed::next_batch() {
  for (;;) {
    auto got = far_.receive_batch(now_or_never);
    if (got.kind() == errc::would_block) return false;
    if (!got) return got.take_status();
    if (got->begin() == got->end()) continue;
    current_.emplace(carried{std::move(*got), 0});
    at_ = current_->messages.begin();
    return true;
  }
}

status feed::send_current() {
  for (; at_ != current_->messages.end(); ++at_) {
    status sent = send_one(*at_);
    if (sent.kind() == errc::would_block) return {};
    if (!sent) return sent;
    current_->last = at_->sequence();
  }
  sent_.push_back(std::move(*current_));
  current_.reset();
  return {};
}

status feed::send_one(const delivery& message) {
  const std::uint64_t sequence = message.sequence();
  if (sequence < next_) return {};  // again: it is on its way, or here
  if (status filled = skip(sequence, "no message there"); !filled) return filled;
  const std::vector<part_view> parts(message.parts().begin(), message.parts().end());
  auto sent = local_.send_at(sequence - numbers_.base, parts, now_or_never);
  if (sent.kind() == errc::too_large || sent.kind() == errc::invalid) {
    const std::string why(sent.text());
    if (status filled = skip(sequence + 1, why.c_str()); !filled) return filled;
    ++report_.refused;
    refused_.say("message " + std::to_string(sequence) + " of " + options_.far +
                     " cannot be kept here: " + why +
                     "; raise --max-message (it stays there until its retention ends, "
                     "subscribers here miss it)",
                 monotonic_now());
    return {};
  }
  if (sent) next_ = sequence + 1;
  return sent.take_status();
}

status feed::skip(std::uint64_t end, const char* reason) {
  for (; next_ < end; ++next_)
    if (auto held = local_.skip_at(next_ - numbers_.base, reason, now_or_never); !held)
      return held.take_status();
  return {};
}

void feed::tell(std::uint64_t now) {
  if (now - told_ns_ < tell_ns) return;
  told_ns_ = now;
  report_.waiting = local_.unaccepted();
  report_.through = accepted_;
  options_.tell(report_);
}

}  // namespace

result<std::unique_ptr<bridge>> open_feed(const bridge_options& options) {
  auto numbers = load_numbering(options.directory, numbering::not_known);
  if (!numbers) return numbers.take_status();
  subscriber_options from;
  from.endpoint = options.far;
  from.context = options.context;
  from.durable = numbers->producer_of(options.id);
  if (numbers->base != numbering::not_known)
    from.start = start_point::known();
  else if (numbers->generation > 1)
    from.start = start_point::first();
  auto far = subscriber::open(from);
  if (!far) return far.take_status();
  producer_options to;
  to.endpoint = options.local;
  to.context = options.context;
  to.id = numbers->producer_of(options.id);
  to.renumber = false;
  auto local = producer::open(to);
  if (!local) return local.take_status();
  return std::unique_ptr<bridge>(
      std::make_unique<feed>(options, *numbers, std::move(*far), std::move(*local)));
}

}  // namespace holdfast
