#include "bench/line/intake.hpp"

namespace holdfast::bench {

intake::intake(const work& asked, stage& on, flow& own)
    : due_(asked.bytes, asked.run), per_second_(asked.per_second), on_(on), own_(own) {}

void intake::take(body_view body) {
  if (!own_.open.load(std::memory_order_relaxed)) return await_greeting(body);
  if (number_in(body) == greeting) return;
  if (const char* fault = due_.fault_in(next_, body); *fault != '\0')
    give_up(std::string(fault) + ": number " + std::to_string(number_in(body)) + " where " +
            std::to_string(next_) + " was due");
  if (per_second_ > 0) take_time();
  ++next_;
}

// What a former run left in the line comes first, and is let go.
void intake::await_greeting(body_view body) {
  if (!is_marked(body))
    give_up("a message of somebody else came; nobody may use the line meanwhile");
  if (*due_.fault_in(greeting, body) == '\0') own_.open.store(true);
}

// From the moment the message should have been sent: what made it late counts.
void intake::take_time() {
  const std::uint64_t first = on_.warm_up.load(std::memory_order_relaxed);
  if (next_ < first) return;
  const double scheduled = on_.began.load() + static_cast<double>(next_ - first) / per_second_;
  on_.timed.note(now_seconds() - scheduled);
}

}  // namespace holdfast::bench
