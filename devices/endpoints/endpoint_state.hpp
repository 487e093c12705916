// endpoint_state: what stands behind every endpoint: its stream, the link to the device, the
// descriptor it is polled by, and the library's thread. Each endpoint adds its own calls.
//
// `Stream`: a client_stream, or what has some: add_to(wire) adds them. failure() and
// wants_to_send() are asked of it, and either
//   worth_a_look() or ready()   the descriptor is readable while this is true, or
//   take_news(failure)          a change or the end makes it readable, until somebody looked.
// hurry(), if there is one, is said before the connection closes: what gathers leaves.
//
// Contract. Threads: calls of the application take wire.lock(); the driver's thread calls
// on_news() under it. The stream is there before the driver has the link and until it gave it back,
// so a derived class's own members are never the driver's. Errors: failure() is why nothing will
// ever come of the endpoint; a wait ends with it, or as out of time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "devices/endpoints/options.hpp"
#include "devices/endpoints/signal.hpp"

namespace holdfast {

template <class Stream>
struct endpoint_state {
  template <class Options>
  endpoint_state(const Options& options, link_options to, std::shared_ptr<driver> by)
      : stream(options), wire(std::move(to), [this] { on_news(); }), thread(std::move(by)) {
    if constexpr (std::is_base_of_v<client_stream, Stream>)
      wire.add(stream);
    else if constexpr (requires { stream.add_to(wire); })
      stream.add_to(wire);
    thread->add(wire);
  }
  ~endpoint_state() { leave(); }
  endpoint_state(const endpoint_state&) = delete;
  endpoint_state& operator=(const endpoint_state&) = delete;

  /// Closes the connection for good; every call fails from here on.
  void leave() {
    if (!thread) return;
    if constexpr (requires { stream.hurry(); }) {
      const auto held = wire.lock();
      stream.hurry();
    }
    thread->remove(wire);
    thread.reset();
  }
  int fd() {
    const auto held = wire.lock();
    return readable.fd(worth_a_look());
  }

  // With the lock held.

  const status& failure() const noexcept {
    return wire.failure().ok() ? stream.failure() : wire.failure();
  }
  void poke() {
    if (stream.wants_to_send()) wire.poke();
  }
  void on_news() {
    if constexpr (requires { stream.take_news(failure()); }) {
      if (stream.take_news(failure())) readable.set(true);
    } else {
      looked();
    }
  }
  /// The application saw what there was: is there more?
  void looked() { readable.set(worth_a_look()); }
  /// Waits until `holds()` is true, which is then not asked again; else says what is `missing`.
  template <class F>
  status wait(std::unique_lock<std::mutex>& held, milliseconds timeout, const char* missing,
              F&& holds);
  /// Like wait(), but what there is to send leaves, and what comes is taken in, on this thread: for
  /// calls that wait for an answer.
  template <class F>
  status wait_driving(std::unique_lock<std::mutex>& held, milliseconds timeout, const char* missing,
                      F&& holds);

  Stream stream;
  link wire;
  signal readable;
  std::shared_ptr<driver> thread;

 private:
  bool worth_a_look() const {
    if (!failure().ok()) return true;
    if constexpr (requires { stream.worth_a_look(); }) return stream.worth_a_look();
    if constexpr (requires { stream.ready(); }) return stream.ready();
    return false;
  }
};

template <class Stream>
template <class F>
status endpoint_state<Stream>::wait(std::unique_lock<std::mutex>& held, milliseconds timeout,
                                    const char* missing, F&& holds) {
  if (holds()) return {};
  const deadline until = deadline_after(timeout);
  bool time_left = timeout > milliseconds(0);
  while (failure().ok() && time_left) {
    poke();
    time_left = wire.wait(held, until);
    if (holds()) return {};
  }
  return failure().ok() ? out_of_time(timeout, missing) : failure().copy();
}

template <class Stream>
template <class F>
status endpoint_state<Stream>::wait_driving(std::unique_lock<std::mutex>& held,
                                            milliseconds timeout, const char* missing, F&& holds) {
  if (holds()) return {};
  const deadline until = deadline_after(timeout);
  bool time_left = timeout > milliseconds(0);
  bool pushed = false;
  while (failure().ok() && time_left) {
    const bool push = stream.wants_to_send() && !std::exchange(pushed, true);
    if (push) {
      held.unlock();
      wire.push();
      held.lock();
    } else {
      poke();
      time_left = wire.wait_driving(held, until);
      pushed = false;
    }
    if (holds()) return {};  // what was waited for may have come during a push, too
  }
  return failure().ok() ? out_of_time(timeout, missing) : failure().copy();
}

/// The state of an endpoint with these public options; `stream`: those of its stream.
template <class State, class Options, class StreamOptions>
result<std::unique_ptr<State>> make_state(const Options& options, std::string id,
                                          const StreamOptions& stream) {
  auto to = make_link_options(options, std::move(id));
  if (!to) return to.take_status();
  auto by = driver::of(options.context);
  if (!by) return by.take_status();
  return std::make_unique<State>(stream, std::move(*to), std::move(*by));
}

}  // namespace holdfast
