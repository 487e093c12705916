// peers: the two ends of a measured line, plain and reliable, as bodies of child processes.
//
// Contract: each runs until counters::stop. Senders keep at most `ahead` messages between sent and
// received, so that a line is measured as it flows and not as it fills.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/processes.hpp"

namespace holdfast::bench {

struct line {
  std::string in, out;      ///< where the sender and the receiver connect
  std::size_t bytes = 64;   ///< of one message
  std::uint64_t ahead = 0;  ///< messages
  counters* shared = nullptr;
};

void plain_sender(const line& at);
void plain_receiver(const line& at);
/// PULL -> zmq_proxy -> PUSH between two fresh endpoints; never returns.
[[noreturn]] void proxy(const line& at);

void reliable_sender(const line& at);
void reliable_receiver(const line& at);

/// A reliable producer that has nothing else to do: the time from sending one message until it is
/// accepted.
class accept_timer {
 public:
  accept_timer(const std::string& endpoint, std::size_t bytes);
  ~accept_timer();
  double send_one();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace holdfast::bench
