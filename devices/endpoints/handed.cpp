#include "devices/endpoints/handed.hpp"

namespace holdfast {

delivery handed::begin(delivered_run& run) {
  delivery made;
  made.keep_ = std::move(run.body);
  made.sequence_ = run.sequence();
  made.serial_ = run.next.serial;
  made.slot_ = run.next.slot;
  made.index_ = run.next.index;
  made.attempt_ = run.head.attempt;
  made.redelivered_ = run.head.redelivered != 0;
  return made;
}

delivery handed::one(delivered_run& run, const entry& message) {
  delivery made = begin(run);
  made.parts_ = {message.lengths, message.data};
  return made;
}

received_request handed::request(request_taken& taken) {
  received_request made;
  made.id_ = taken.head.id;
  made.deadline_ms_ = taken.head.deadline_ms;
  made.parts_ = {taken.lengths, taken.data};
  made.what_ = one(taken.run, {});
  return made;
}

batch handed::many(delivered_run& run) {
  batch made;
  made.rest_ = run.rest;
  made.count_ = static_cast<std::uint16_t>(run.head.count - run.next.index);
  made.first_ = begin(run);
  return made;
}

batch::iterator batch::begin() const noexcept {
  iterator made;
  made.current_ = first_;
  made.rest_ = rest_;
  made.done_ = false;
  --made.current_.sequence_;  // step() goes to the first
  --made.current_.index_;
  made.step();
  return made;
}

batch::iterator& batch::iterator::operator++() noexcept {
  step();
  return *this;
}

// To the next entry that is a message; the body was checked when it came.
void batch::iterator::step() noexcept {
  entry_walker walker(rest_);
  entry e;
  do {
    if (!walker.next(e)) {
      done_ = true;
      return;
    }
    ++current_.sequence_;
    ++current_.index_;
  } while (e.voided());
  rest_ = rest_.last(walker.left());
  current_.parts_ = {e.lengths, e.data};
}

}  // namespace holdfast
