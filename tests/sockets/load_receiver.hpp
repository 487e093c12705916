// load_receiver: what a worker and a subscriber under load have in common: each message is checked
// to the byte and logged, then acked, and logged again once the ack is confirmed as durable or
// known to be lost with its session.
#pragma once

#include <span>
#include <thread>
#include <vector>

#include "holdfast/delivery.hpp"
#include "holdfast/endpoint.hpp"
#include "tests/sockets/load_history.hpp"

namespace load {

/// `endpoint`: holdfast::worker or holdfast::subscriber. `skip`: parts before the message's own,
/// which only a subscriber has.
template <class endpoint>
class receiver {
 public:
  receiver(endpoint made, const arguments& given, std::size_t skip)
      : from(std::move(made)),
        log(given.text("log")),
        history_(given, skip == 0 ? "worker" : "subscriber"),
        salt_(given.number("salt")),
        work_(given.number("work")),
        skip_(skip) {}

  [[noreturn]] void run() {
    for (;;) {
      // Confirm when a lot is unconfirmed or nothing comes.
      auto got = from.receive_batch(holdfast::milliseconds(unconfirmed_.empty() ? 1000 : 5));
      if (got) {
        take(*got);
      } else if (got.kind() != holdfast::errc::timeout) {
        fail(got.text());
      }
      if (!got || unconfirmed_.size() > 20'000) confirm();
    }
  }

  record check(const holdfast::delivery& one) {
    parts_.assign(one.parts().begin(), one.parts().end());
    const verdict seen =
        load::check(std::span(parts_).subspan(std::min(skip_, parts_.size())), salt_);
    const bool topic =
        skip_ == 0 || (skip_ == 1 && holdfast::as_text(parts_[0]) == topic_of(seen.number));
    return {seen.sender,       seen.exact && topic ? delivered : changed,
            one.redelivered(), static_cast<std::uint16_t>(one.attempt()),
            seen.number,       now_ns()};
  }

  endpoint from;
  log_file log;

 private:
  void take(const holdfast::batch& got) {
    std::vector<record> records;
    std::vector<std::uint64_t> sequences;
    for (const holdfast::delivery& one : got) {
      records.push_back(check(one));
      sequences.push_back(one.sequence());
      history_.gets(records.back(), one.sequence());
      history_.done(records.back());
    }
    log.write(records);
    history_.write();
    std::this_thread::sleep_for(work_);  // what it does with them
    if (!from.ack(got).ok()) return tell(stale, records);
    unconfirmed_.insert(unconfirmed_.end(), records.begin(), records.end());
    sequences_.insert(sequences_.end(), sequences.begin(), sequences.end());
  }

  // All acks so far durable? Where some were lost with their session, none is sure.
  void confirm() {
    const holdfast::status outcome = from.flush(holdfast::milliseconds(100));
    if (outcome.kind() == holdfast::errc::timeout) return;
    for (std::size_t i = 0; outcome.ok() && i < unconfirmed_.size(); ++i)
      history_.confirmed(unconfirmed_[i], sequences_[i]);
    tell(outcome.ok() ? ack_confirmed : stale, unconfirmed_);
    history_.write();
    unconfirmed_.clear();
    sequences_.clear();
  }

  // What became of these.
  void tell(event what, std::vector<record>& of) {
    for (record& one : of) {
      one.what = what;
      one.time_ns = now_ns();
    }
    log.write(of);
  }

  history history_;
  std::uint64_t salt_;
  std::chrono::milliseconds work_;
  std::size_t skip_;
  std::vector<holdfast::part_view> parts_;
  std::vector<record> unconfirmed_;
  std::vector<std::uint64_t> sequences_;  // of those
};

}  // namespace load
