// line_sender: reads lines, sends each as a message, and waits until all are accepted: push and
// pub.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "devices/cli/line_format.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/reliable.hpp"
#include "devices/cli/report.hpp"
#include "holdfast/producer.hpp"

namespace holdfast::cli {

inline constexpr milliseconds hint_after{3000};

/// `Args`: endpoint, format, timeout_ns. `Sender`: a producer or a publisher.
template <class Args, class Sender>
class line_sender {
 public:
  /// `first`: becomes the first part of every message.
  line_sender(const Args& args, Sender to, std::optional<std::string> first = {})
      : args_(args), to_(std::move(to)), first_(std::move(first)) {}

  // Reads, sends and waits until all is accepted; the exit status.
  int run() {
    std::string text;
    status outcome;
    for (std::uint64_t number = 1; read_line(text, outcome); ++number) {
      auto parts = parse_line(args_.format, text);
      if (!parts)
        return fail_usage("line " + std::to_string(number) + ": " + std::string(parts.text()));
      if (const status sent = send(*parts); !sent) return fail(sent);
    }
    if (!outcome) return fail(outcome);
    return finish();
  }

 private:
  status send(const std::vector<std::string>& parts) {
    views_.clear();
    if (first_) views_.push_back(as_part(*first_));
    for (const std::string& part : parts) views_.push_back(as_part(part));
    return wait([this](milliseconds limit) { return to_.send(views_, limit).take_status(); });
  }

  int finish() {
    const status flushed = wait([this](milliseconds limit) { return to_.flush(limit); });
    const std::vector<refusal> refused = to_.take_refusals();
    for (const refusal& one : refused)
      complain("message " + std::to_string(one.number) + " was refused (" +
               std::string(name(one.code)) + "): " + one.reason);
    if (!refused.empty()) return failed;
    if (!flushed) return fail(flushed);
    // All is accepted; what can still fail is the good-bye, which the device does without.
    (void)to_.close(milliseconds(1000));
    return done;
  }

  // Repeats `call` until it is done or nothing was accepted for the time allowed.
  template <class Call>
  status wait(Call call) {
    const milliseconds limit = to_ms(args_.timeout_ns);
    milliseconds idle{0};
    for (std::uint64_t before = to_.accepted_through();;) {
      const milliseconds slice = std::min(hint_after, limit == forever ? limit : limit - idle);
      status outcome = call(slice);
      if (outcome.kind() != errc::timeout && outcome.kind() != errc::would_block) return outcome;
      const std::uint64_t now = to_.accepted_through();
      idle = now > before ? milliseconds{0} : idle + slice;
      before = now;
      if (limit != forever && idle >= limit)
        return {errc::timeout, "endpoint '" + args_.endpoint +
                                   "': " + std::to_string(to_.unaccepted()) +
                                   " messages were not accepted in time; is a device there?"};
      hint(idle);
    }
  }

  void hint(milliseconds idle) {
    if (hinted_ || idle < hint_after) return;
    hinted_ = true;
    complain("endpoint '" + args_.endpoint + "': nothing is accepted yet; still trying");
  }

  const Args& args_;
  Sender to_;
  std::optional<std::string> first_;
  std::vector<part_view> views_;
  bool hinted_ = false;
};

}  // namespace holdfast::cli
