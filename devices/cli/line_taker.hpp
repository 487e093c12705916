// line_taker: prints each message as a line and acks it once it is written: pull and sub.
#pragma once

#include <poll.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/cli/line_format.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/reliable.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/stop_signals.hpp"
#include "holdfast/pipeline.hpp"
#include "holdfast/pubsub.hpp"

namespace holdfast::cli {

inline constexpr milliseconds close_patience{10'000};

// Acked once they are printed, and not before: what a session lost meanwhile comes again, which is
// no failure.
inline status ack_printed(worker& from, std::span<const delivery> printed) {
  for (const delivery& one : printed)
    if (status acked = from.ack(one); !acked && acked.kind() == errc::closed) return acked;
  return {};
}
inline status ack_printed(subscriber& from, std::span<const delivery> printed) {
  return printed.empty() ? status{} : from.ack(printed.back());
}
inline void tell_gaps(worker&) {}
inline void tell_gaps(subscriber& from) {
  constexpr const char* causes[] = {"", "retention", "corrupt", "power loss"};
  for (const gap_notice& gap : from.take_gaps())
    complain(std::to_string(gap.count) + " messages from " + std::to_string(gap.first) +
             " on will never come (" + causes[static_cast<int>(gap.cause)] + ")");
}

/// `Args`: endpoint, format, count, timeout_ns. `Source`: a worker or a subscriber.
template <class Args, class Source>
class line_taker {
 public:
  /// `queue`: as printed with each message.
  line_taker(const Args& args, const stop_signals& signals, Source from, std::string_view queue)
      : args_(args), signals_(signals), from_(std::move(from)), queue_(queue) {}

  // Prints and acks until enough came, nothing comes any more, or a signal; the exit status.
  int run() {
    while (!args_.count || taken_ < *args_.count) {
      if (!wait()) break;
      tell_gaps(from_);
      auto got = from_.receive_batch(milliseconds(0));
      if (got.kind() == errc::would_block || got.kind() == errc::timeout) continue;
      if (!got) return fail(got.take_status());
      if (const status printed = print(*got); !printed) return fail(printed);
    }
    return finish();
  }

 private:
  // False when the time is over or somebody wants an end.
  bool wait() {
    pollfd waits[] = {{from_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    const milliseconds limit = to_ms(args_.timeout_ns);
    const int most =
        limit == forever ? -1 : static_cast<int>(std::min<long>(limit.count(), 1 << 30));
    const int ready = ::poll(waits, 2, most);
    stopped_ = ready > 0 && (waits[1].revents & POLLIN) != 0;
    return ready != 0 && !stopped_;
  }

  status print(const batch& got) {
    printed_.clear();
    for (const delivery& one : got) {
      if (args_.count && taken_ == *args_.count) break;
      write(one);
      printed_.push_back(one);
      ++taken_;
    }
    if (status wrote = writer_.flush(); !wrote) return wrote;
    return ack_printed(from_, printed_);
  }

  void write(const delivery& one) {
    parts_.clear();
    for (const part_view part : one.parts()) parts_.push_back(as_text(part));
    const delivery_facts facts{.known = true,
                               .queue = queue_,
                               .sequence = one.sequence(),
                               .attempt = one.attempt(),
                               .redelivered = one.redelivered()};
    write_line(args_.format, parts_, facts, writer_.pending());
  }

  int finish() {
    const status closed = from_.close(close_patience);
    if (closed.kind() == errc::stale)
      complain("some acks were lost with their session; those messages come again");
    else if (!closed && taken_ > 0)
      complain("the last acks are not confirmed (" + std::string(closed.text()) +
               "); those messages may come again");
    if (!args_.count || taken_ == *args_.count) return done;
    complain("endpoint '" + args_.endpoint + "': " + std::to_string(taken_) + " of " +
             std::to_string(*args_.count) + " messages came" +
             (stopped_ ? " before the signal" : " in the time allowed"));
    return failed;
  }

  const Args& args_;
  const stop_signals& signals_;
  Source from_;
  std::string_view queue_;
  line_writer writer_;
  std::vector<std::string_view> parts_;
  std::vector<delivery> printed_;
  std::uint64_t taken_ = 0;
  bool stopped_ = false;
};

}  // namespace holdfast::cli
