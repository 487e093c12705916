// handed: makes what the application gets of what a stream took: deliveries and batches, and back.
#pragma once

#include <mutex>

#include "holdfast/reqrep.hpp"
#include "patterns/delivery_buffer.hpp"
#include "patterns/reqrep/replier_stream.hpp"

namespace holdfast {

struct handed {
  static delivery one(delivered_run& run, const entry& message);
  static batch many(delivered_run& run);
  static received_request request(request_taken& taken);
  /// What an endpoint's receive() and receive_batch() do.
  template <class State>
  static result<delivery> receive(State& of, milliseconds timeout);
  template <class State>
  static result<batch> receive_batch(State& of, milliseconds timeout);
  static delivery_ticket ticket(const delivery& of) noexcept {
    return {of.serial_, of.slot_, of.index_};
  }
  static delivery_ticket ticket(const received_request& of) noexcept { return ticket(of.what_); }
  static delivery_ticket first(const batch& of) noexcept { return ticket(of.first_); }
  static std::uint64_t first_sequence(const batch& of) noexcept { return of.first_.sequence_; }
  static std::uint16_t count(const batch& of) noexcept { return of.count_; }

 private:
  static delivery begin(delivered_run& run);
  template <class State>
  static status wait_ready(State& of, std::unique_lock<std::mutex>& held, milliseconds timeout) {
    return of.wait_driving(held, timeout, "no message came", [&] { return of.stream.ready(); });
  }
};

template <class State>
result<delivery> handed::receive(State& of, milliseconds timeout) {
  auto held = of.wire.lock();
  if (status ready = wait_ready(of, held, timeout); !ready) return ready;
  delivered_run run;
  entry message;
  of.stream.take(run, message);
  of.looked();
  of.poke();
  return one(run, message);
}

template <class State>
result<batch> handed::receive_batch(State& of, milliseconds timeout) {
  auto held = of.wire.lock();
  if (status ready = wait_ready(of, held, timeout); !ready) return ready;
  delivered_run run;
  of.stream.take_run(run);
  of.looked();
  of.poke();
  return many(run);
}

}  // namespace holdfast
