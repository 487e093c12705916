// intake: where a receiver puts what came: checks each message's number, size and content, in
// order, and takes its time where the line has a schedule.
#pragma once

#include <cstdint>

#include "bench/line/bodies.hpp"
#include "bench/line/stage.hpp"
#include "bench/line/work.hpp"

namespace holdfast::bench {

class intake {
 public:
  intake(const work& asked, stage& on, flow& own);
  /// One message; a wrong one is given up on, before it is acked.
  void take(body_view body);
  /// Lets the others know how far it is: once for what came together.
  void tell() { own_.received.store(next_, std::memory_order_relaxed); }
  /// Every message there was has come.
  bool complete() const { return next_ == on_.total.load(std::memory_order_relaxed); }

 private:
  void await_greeting(body_view body);
  void take_time();

  const bodies due_;
  const double per_second_;
  stage& on_;
  flow& own_;
  std::uint64_t next_ = 0;
};

}  // namespace holdfast::bench
