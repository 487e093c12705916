// downlink: a far queue to the local one. A message is acked there once it is accepted here; when
// either side dies in between it comes again. What can never be kept here is rejected there: it is
// among the far queue's dead letters, and all else goes on.
#include <poll.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "devices/sidecar/bridge.hpp"
#include "devices/sidecar/complaint.hpp"
#include "holdfast/pipeline.hpp"

namespace holdfast {
namespace {

constexpr milliseconds now_or_never{0}, leave_wait{2000};
constexpr int rest_ms = 250;
constexpr std::uint64_t tell_ns = second_ns / 4;

class downlink final : public bridge {
 public:
  downlink(bridge_options options, worker far, producer local)
      : options_(std::move(options)), far_(std::move(far)), local_(std::move(local)) {}
  status run(int stop) override;

 private:
  // Received there, given to the local device as the local numbers from `first` to `last`.
  struct carried {
    batch messages;
    std::uint64_t first = 0, last = 0;
    std::vector<std::uint64_t> unsent;  // sequences that got no number
  };
  status turn();
  status send_current();
  status take_accepted();
  void take_refusals();
  void reject(const delivery& message, const std::string& why);
  void tell(std::uint64_t now);

  bridge_options options_;
  worker far_;
  producer local_;
  std::optional<carried> current_;
  batch::iterator at_ = batch().end();
  std::deque<carried> sent_;
  bridge_report report_;
  complaint refused_;
  std::uint64_t accepted_ = 0, told_ns_ = 0;
};

status downlink::run(int stop) {
  report_.state = "running";
  for (;;) {
    pollfd polled[] = {{stop, POLLIN, 0}, {local_.fd(), POLLIN, 0}, {far_.fd(), POLLIN, 0}};
    if (current_) polled[2].fd = -1;
    if (::poll(polled, 3, rest_ms) > 0 && polled[0].revents != 0) break;
    if (status moved = turn(); !moved) return moved;
    tell(monotonic_now());
  }
  const status kept = local_.flush(leave_wait);
  if (status taken = take_accepted(); !taken) return taken;
  return far_.flush(leave_wait);
}

status downlink::turn() {
  for (;;) {
    if (status taken = take_accepted(); !taken) return taken;
    if (!current_) {
      auto got = far_.receive_batch(now_or_never);
      if (got.kind() == errc::would_block) return {};
      if (!got) return got.take_status();
      current_.emplace(carried{std::move(*got), 0, 0, {}});
      at_ = current_->messages.begin();
    }
    if (status sent = send_current(); !sent) return sent;
    if (current_) return {};
  }
}

status downlink::send_current() {
  for (; at_ != current_->messages.end(); ++at_) {
    const std::vector<part_view> parts(at_->parts().begin(), at_->parts().end());
    auto sent = local_.send(parts, now_or_never);
    if (sent.kind() == errc::would_block) return {};
    if (sent.kind() == errc::too_large || sent.kind() == errc::invalid) {
      reject(*at_, std::string(sent.text()));
      current_->unsent.push_back(at_->sequence());
      continue;
    }
    if (!sent) return sent.take_status();
    if (current_->first == 0) current_->first = *sent;
    current_->last = *sent;
  }
  sent_.push_back(std::move(*current_));
  current_.reset();
  return {};
}

void downlink::reject(const delivery& message, const std::string& why) {
  ++report_.refused;
  refused_.say(
      "message " + std::to_string(message.sequence()) + " of " + options_.far +
          " cannot be kept here: " + why +
          "; it is among the dead letters there: raise --max-message, or take it from them",
      monotonic_now());
  (void)far_.reject(message, why);  // stale: it comes again
}

// Local numbers go up by one for each message that was sent.
void downlink::take_refusals() {
  for (const refusal& one : local_.take_refusals()) {
    const auto in = [&](const carried& c) {
      if (c.first == 0 || one.number < c.first || one.number > c.last) return;
      std::uint64_t number = c.first;
      for (const delivery& message : c.messages) {
        if (std::find(c.unsent.begin(), c.unsent.end(), message.sequence()) != c.unsent.end())
          continue;
        if (number++ == one.number) return reject(message, one.reason);
      }
    };
    for (const carried& c : sent_) in(c);
    if (current_) in(*current_);
  }
}

status downlink::take_accepted() {
  const std::uint64_t through = local_.accepted_through();
  report_.carried += through - accepted_;
  accepted_ = through;
  take_refusals();
  for (; !sent_.empty() && sent_.front().last <= through; sent_.pop_front())
    if (status acked = far_.ack(sent_.front().messages);
        !acked && acked.kind() != errc::stale && acked.kind() != errc::not_found)
      return acked;
  return {};
}

void downlink::tell(std::uint64_t now) {
  if (now - told_ns_ < tell_ns) return;
  told_ns_ = now;
  report_.waiting = local_.unaccepted();
  options_.tell(report_);
}

}  // namespace

result<std::unique_ptr<bridge>> open_downlink(const bridge_options& options) {
  worker_options from;
  from.endpoint = options.far;
  from.context = options.context;
  from.queue = options.far_address;
  auto far = worker::open(from);
  if (!far) return far.take_status();
  producer_options to;
  to.endpoint = options.local;
  to.context = options.context;
  auto local = producer::open(to);
  if (!local) return local.take_status();
  return std::unique_ptr<bridge>(
      std::make_unique<downlink>(options, std::move(*far), std::move(*local)));
}

}  // namespace holdfast
