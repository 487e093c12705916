#include "devices/sidecar/uplink.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "devices/logging.hpp"

namespace holdfast {
namespace {

constexpr milliseconds now_or_never{0};
/// Sequences without a message that are filled with void numbers; beyond it a generation begins.
constexpr std::uint64_t fill_max = 65'536;
constexpr std::uint64_t tell_ns = second_ns / 4;
constexpr std::uint64_t silent_ns = 5 * second_ns;  // before it is said the first time
constexpr std::uint64_t say_ns = 60 * second_ns;
constexpr int rest_ms = 250;      // longest sleep: what is told has to become old
constexpr int hole_rest_ms = 10;  // while a hole is looked into
constexpr milliseconds leave_wait{2000};

}  // namespace

result<std::unique_ptr<bridge>> open_uplink(const bridge_options& options) {
  auto numbers = load_numbering(options.directory);
  if (!numbers) return numbers.take_status();
  worker_options from;
  from.endpoint = options.local;
  from.context = options.context;
  auto local = worker::open(from);
  if (!local) return local.take_status();
  producer_options to;
  to.endpoint = options.far;
  to.context = options.context;
  to.queue = options.far_address;
  to.id = numbers->producer_of(options.id);
  to.renumber = false;
  auto far = producer::open(to);
  if (!far) return far.take_status();
  return std::unique_ptr<bridge>(
      std::make_unique<uplink>(options, *numbers, std::move(*local), std::move(*far)));
}

uplink::uplink(bridge_options options, numbering numbers, worker local, producer far)
    : options_(std::move(options)),
      numbers_(numbers),
      local_(std::move(local)),
      far_(std::move(far)) {}

status uplink::run(int stop) {
  report_.state = "connecting";
  for (;;) {
    pollfd asked{stop, POLLIN, 0};
    if (::poll(&asked, 1, 0) > 0) {
      const status left = leave();  // what is not acked is known there when it is sent again
      return {};
    }
    if (status moved = turn(); !moved) {
      const status left = leave();
      return moved;
    }
    tell(monotonic_now());
    wait(stop);
  }
}

status uplink::turn() {
  if (!aligned_)
    if (status known = align(); !known || !aligned_) return known;
  if (status taken = take_accepted(); !taken) return taken;
  blocked_ = hole_ = false;
  do {
    take_batches();
    if (!current_ && !next_batch()) break;
    if (status sent = send_current(); !sent) return sent;
  } while (!current_);
  return {};
}

// Where the far device goes on, and where the local journal does.
status uplink::align() {
  auto next = far_.next_number(now_or_never);
  if (next.kind() == errc::would_block) return {};
  if (!next) return next.take_status();
  auto floor = options_.local_floor();
  if (!floor) return floor.take_status();
  const std::uint64_t done = std::max<std::uint64_t>(*floor, 1) - 1;
  const std::uint64_t there = *next - 1 + numbers_.base;
  if (there < done && (*next == 1 || done - there > fill_max)) return begin_generation(done);
  next_ = there + 1;
  accepted_ = there;
  aligned_ = true;
  report_.state = "running";
  log_info("sidecar: " + options_.far + " has everything up to " + std::to_string(there));
  if (there >= done) return {};
  log_warning("sidecar: " + options_.far + " no longer has " + std::to_string(there + 1) + " to " +
              std::to_string(done) + ", which are done with here; they are left out");
  status filled = skip(done + 1, "done with at the sidecar");
  return filled.kind() == errc::would_block ? status{} : std::move(filled);  // later, before a send
}

// errc::stale: the next opening is the new producer.
status uplink::begin_generation(std::uint64_t done) {
  const numbering next{numbers_.generation + 1, done};
  if (status stored = store_numbering(options_.directory, next); !stored) return stored;
  return {errc::stale, "the far device at " + options_.far + " knows nothing of messages " +
                           std::to_string(numbers_.base + 1) + " to " + std::to_string(done) +
                           ", which are done with here; it gets what follows as from producer " +
                           next.producer_of(options_.id)};
}

status uplink::take_accepted() {
  const std::uint64_t through = far_.accepted_through() + numbers_.base;
  take_refusals();
  if (through > accepted_) {
    report_.carried += through - accepted_;
    accepted_ = through;
    report_.silent_since_ns = 0;
  }
  for (; !sent_.empty() && sent_.front().last <= accepted_; sent_.pop_front())
    if (status acked = local_.ack(sent_.front().messages);
        !acked && acked.kind() != errc::stale && acked.kind() != errc::not_found)
      return acked;
  return far_.next_number(now_or_never).take_status();  // a final failure shows without a send
}

void uplink::take_refusals() {
  for (const refusal& one : far_.take_refusals()) {
    const std::uint64_t sequence = one.number + numbers_.base;
    log_warning("sidecar: " + options_.far + " refuses message " + std::to_string(sequence) + ": " +
                one.reason + "; it is among the dead letters here");
    reject(sequence, one.reason);
    ++report_.refused;
  }
}

void uplink::reject(std::uint64_t sequence, const std::string& reason) {
  const auto in = [&](const batch& messages) {
    for (const delivery& message : messages)
      if (message.sequence() == sequence) (void)local_.reject(message, reason);  // stale: again
  };
  for (const carried& one : sent_) in(one.messages);
  if (current_) in(current_->messages);
}

void uplink::take_batches() {
  while (!current_ || early_.empty()) {
    auto got = local_.receive_batch(now_or_never);
    if (!got) return;
    const auto first = got->begin();
    if (first == got->end()) continue;
    early_.insert_or_assign(first->sequence(), std::move(*got));
    if (!current_) return;
  }
}

// The next batch in order. A later one stays early as long as what is before it may come.
bool uplink::next_batch() {
  if (early_.empty()) return false;
  const std::uint64_t first = early_.begin()->first;
  if (first > next_) {
    const auto sure = hole_is_sure(first);
    if (!sure || !*sure) {
      hole_ = true;
      return false;
    }
    log_warning("sidecar: " + std::to_string(next_) + " to " + std::to_string(first - 1) +
                " are not in the journal any more; they are left out");
    if (!skip(first, "no message at the sidecar")) return false;
  }
  current_.emplace(carried{std::move(early_.begin()->second), first});
  early_.erase(early_.begin());
  at_ = current_->messages.begin();
  return true;
}

// Once all before `next_` is accepted and acked, the local floor stands where messages are left.
result<bool> uplink::hole_is_sure(std::uint64_t before) {
  if (!sent_.empty() || accepted_ + 1 < next_) return false;
  if (!local_.flush(now_or_never)) return false;
  auto floor = options_.local_floor();
  if (!floor) return floor.take_status();
  return *floor >= before;
}

status uplink::send_current() {
  while (at_ != current_->messages.end()) {
    if (status sent = send_one(*at_); !sent) {
      if (sent.kind() == errc::would_block) blocked_ = true;
      return sent.kind() == errc::would_block ? status{} : std::move(sent);
    }
    current_->last = at_->sequence();
    ++at_;
  }
  sent_.push_back(std::move(*current_));
  current_.reset();
  return {};
}

status uplink::send_one(const delivery& message) {
  const std::uint64_t sequence = message.sequence();
  if (sequence < next_) return {};  // again: it is on its way, or there
  if (status filled = skip(sequence, "no message at the sidecar"); !filled) return filled;
  std::vector<part_view> parts(message.parts().begin(), message.parts().end());
  auto sent = far_.send_at(sequence - numbers_.base, parts, now_or_never);
  if (sent.kind() == errc::too_large || sent.kind() == errc::invalid) {
    const std::string why(sent.text());
    if (status filled = skip(sequence + 1, why.c_str()); !filled) return filled;
    log_warning("sidecar: message " + std::to_string(sequence) + " cannot be sent: " + why +
                "; it is among the dead letters here");
    reject(sequence, why);
    ++report_.refused;
    return {};
  }
  if (sent) next_ = sequence + 1;
  return sent.take_status();
}

status uplink::skip(std::uint64_t end, const char* reason) {
  for (; next_ < end; ++next_)
    if (auto held = far_.skip_at(next_ - numbers_.base, reason, now_or_never); !held)
      return held.take_status();
  return {};
}

void uplink::wait(int stop) {
  pollfd polled[] = {{stop, POLLIN, 0}, {far_.fd(), POLLIN, 0}, {local_.fd(), POLLIN, 0}};
  if (!aligned_ || current_) polled[2].fd = -1;
  // A batch that waits for an earlier one: whatever comes next is looked at.
  (void)::poll(polled, 3, hole_ ? hole_rest_ms : rest_ms);
}

void uplink::tell(std::uint64_t now) {
  report_.waiting = far_.unaccepted();
  report_.through = accepted_;
  const bool silent = !aligned_ || report_.waiting > 0;
  if (!silent) report_.silent_since_ns = 0;
  if (silent && report_.silent_since_ns == 0) report_.silent_since_ns = now;
  const std::uint64_t since = silent ? now - report_.silent_since_ns : 0;
  report_.state = !aligned_ ? "connecting" : since > silent_ns ? "waiting" : "running";
  if (since > silent_ns && now - said_ns_ > say_ns) {
    said_ns_ = now;
    log_warning("sidecar: " + options_.far + " has accepted nothing for " +
                std::to_string(since / second_ns) + " s; everything is kept here until it does");
  }
  if (said_ns_ != 0 && since == 0) {
    said_ns_ = 0;
    log_info("sidecar: " + options_.far + " accepts again");
  }
  if (now - told_ns_ < tell_ns) return;
  told_ns_ = now;
  options_.tell(report_);
}

// What is accepted there is acked here: nothing of it needs to be sent again.
status uplink::leave() {
  status taken = aligned_ ? take_accepted() : status{};
  status flushed = local_.flush(leave_wait);
  return taken ? std::move(flushed) : std::move(taken);
}

}  // namespace holdfast
