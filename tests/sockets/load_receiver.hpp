// load_receiver: what a worker and a subscriber under load have in common: each message is checked
// to the byte and logged, then acked, and logged again once the ack is confirmed as durable.
#pragma once

#include <span>
#include <vector>

#include "holdfast/delivery.hpp"
#include "holdfast/endpoint.hpp"
#include "tests/sockets/load_message.hpp"

namespace load {

/// `endpoint`: holdfast::worker or holdfast::subscriber. `skip`: parts before the message's own.
template <class endpoint>
class receiver {
 public:
  receiver(endpoint made, const arguments& given, std::size_t skip)
      : from(std::move(made)), log(given.text("log")), salt_(given.number("salt")), skip_(skip) {}

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
    for (const holdfast::delivery& one : got) records.push_back(check(one));
    log.write(records);
    if (from.ack(got).ok()) unconfirmed_.insert(unconfirmed_.end(), records.begin(), records.end());
  }

  // All acks so far durable: logs each as confirmed. Some lost with their session: none is sure.
  void confirm() {
    const holdfast::status outcome = from.flush(holdfast::milliseconds(100));
    if (outcome.ok()) {
      for (record& one : unconfirmed_) {
        one.what = ack_confirmed;
        one.time_ns = now_ns();
      }
      log.write(unconfirmed_);
    }
    if (outcome.kind() != holdfast::errc::timeout) unconfirmed_.clear();
  }

  std::uint64_t salt_;
  std::size_t skip_;
  std::vector<holdfast::part_view> parts_;
  std::vector<record> unconfirmed_;
};

}  // namespace load
