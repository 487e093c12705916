// sim: runs your own handlers, the functions that process messages, in a simulated world: a device,
// senders, the processes of your handlers, networks and disks in one thread and in virtual time.
// There messages come again, late and in another order, and processes are killed at any moment,
// also inside a handler. What happens follows from one number, the seed; a seed that fails fails
// again, bit for bit.
//
//   holdfast::simulation orders([](simulated::world& world) {
//     world.send(50, [](std::uint64_t n) { return simulated::parts{"order " + to_string(n)}; });
//     world.add_worker(book);        // simulated::handled book(const delivery&, process&)
//     world.at_end([&world]() -> std::optional<simulated::flaw> { ... });
//   });
//   const simulated::outcome found = orders.search(500);   // found.seed, found.story
//
// What is real: the device's journal, channels and sessions, and the reliable endpoints' protocol,
// as they run in production. A handler gets what holdfast::worker, subscriber and replier give it.
// What a handler must do for its part: take time, chance and storage from its process (below), or
// from nowhere. Clocks, threads, addresses as numbers, and what an earlier run left behind make a
// seed mean something else the next time; search() says so when it sees it.
//
// Threads: everything runs in the thread that calls run() or search(), one run at a time.
// Errors: what cannot be simulated (no worker for what is sent) is a failed outcome by "setup".
// Seeds are kept by one version of the library; another one may draw other worlds from them.
// Link with holdfast::sim (CMake) or holdfast-sim (pkg-config).
#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/delivery.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast {
namespace simulated {

/// The parts of a message, at least one.
using parts = std::vector<std::string>;
using contents = std::map<std::string, std::string, std::less<>>;

/// What survives a kill: one store of keys and values for all processes of a world, as a database
/// is. Changes are seen here at once, by others after commit(), and are gone with the process
/// until then.
class store {
 public:
  virtual std::optional<std::string> get(std::string_view key) const = 0;
  virtual void put(std::string_view key, std::string value) = 0;
  virtual void erase(std::string_view key) = 0;
  /// All changes or none. The process may be killed in it, before or after they count: then it
  /// does not return, but leaves by an exception; a handler that catches it dies all the same.
  virtual void commit() = 0;

 protected:
  ~store() = default;
};

/// The process in which a handler runs, for the length of one call of it.
class process {
 public:
  /// Which of its kind, from 1; and its how many-eth life: 1 until it is killed for the first time.
  virtual unsigned number() const noexcept = 0;
  virtual unsigned life() const noexcept = 0;
  /// Virtual time as this process's clock shows it; no two clocks run alike.
  virtual std::chrono::nanoseconds now() const noexcept = 0;
  /// The work takes so long: what the handler says is said that much later.
  virtual void spend(std::chrono::nanoseconds work) = 0;
  /// Drawn from the seed, below `bound`; 0 for a bound of 0.
  virtual std::uint64_t draw(std::uint64_t bound) = 0;
  virtual store& disk() = 0;
  /// Between two effects on the world outside: the process may be killed here, as in commit().
  virtual void may_die() = 0;
  /// Something is wrong that must never be: the run fails, with the story of this message.
  virtual void fail(std::string what) = 0;
  /// What this process remembers, made by T() in each of its lives. One type a process.
  template <class T>
  T& memory() {
    std::any& kept = remembered();
    if (!kept.has_value()) kept.emplace<T>();
    return std::any_cast<T&>(kept);
  }

 protected:
  ~process() = default;
  virtual std::any& remembered() = 0;
};

/// What a handler says of its message.
struct handled {
  enum class as : std::uint8_t { acked, nacked, released, rejected, replied, kept };
  as how = as::acked;
  milliseconds delay{0};
  std::string reason;
  parts content;

  /// Done. Of a subscriber: with everything up to this message.
  static handled ack() { return {}; }
  /// Failed; again after `delay` (0: the device's back-off). Workers.
  static handled nack(milliseconds delay = milliseconds(0), std::string reason = {}) {
    return {as::nacked, delay, std::move(reason), {}};
  }
  /// Handed back unharmed. Workers, repliers.
  static handled release() { return {as::released, milliseconds(0), {}, {}}; }
  /// Never again: to the dead letters, or status 500. Workers, repliers.
  static handled reject(std::string reason) {
    return {as::rejected, milliseconds(0), std::move(reason), {}};
  }
  /// The reply. Repliers.
  static handled reply(parts content) {
    return {as::replied, milliseconds(0), {}, std::move(content)};
  }
  /// Nothing is said: the lease runs out; a later ack of a subscriber covers it.
  static handled keep() { return {as::kept, milliseconds(0), {}, {}}; }
};

/// Of a worker or subscriber. An exception that leaves it fails the run.
using handler = std::function<handled(const delivery& message, process& self)>;
using request_handler = std::function<handled(const received_request& request, process& self)>;
/// The parts of the n-th message, n from 1: the same ones for the same n.
using maker = std::function<parts(std::uint64_t n)>;
/// Hears the reply to the n-th request.
using listener = std::function<void(std::uint64_t n, const parts& reply)>;

/// What is wrong at the end, and with which message (0: none in particular).
struct flaw {
  std::string what;
  std::uint64_t message = 0;
};
using check = std::function<std::optional<flaw>()>;

/// One run's world. Named senders (they are killed too, and come back without repeats or holes),
/// one durable queue, pub/sub channel and service, and any number of processes to serve them.
class world {
 public:
  /// Messages 1 .. count (at most 10 000) into the queue; published, the first part being their
  /// topic; asked. Each once a world.
  virtual void send(std::uint64_t count, maker make) = 0;
  virtual void publish(std::uint64_t count, maker make) = 0;
  virtual void ask(std::uint64_t count, maker make, listener hear = {}) = 0;
  /// One more process. A worker or replier takes one message after another; each subscriber is a
  /// durable subscription of its own to everything from the first message on.
  virtual void add_worker(handler call) = 0;
  virtual void add_subscriber(handler call) = 0;
  virtual void add_replier(request_handler call) = 0;
  /// Asked when faults are over and every message has come to its end.
  virtual void at_end(check holds) = 0;
  /// What is in the store.
  virtual const contents& committed() const = 0;

 protected:
  ~world() = default;
};

/// What may go wrong. Of the kinds that are on, each seed draws its own mixture: some mistakes only
/// show in the absence of other trouble.
struct faults {
  bool handlers_die = true;   ///< killed between calls and inside of them; back within 0.4 s
  bool handlers_stop = true;  ///< stand still for up to 2 s, or work that long: beyond the lease
  bool senders_die = true;    ///< killed, replaced, stopped
  bool device_dies = true;    ///< killed, also while it recovers, and stopped
  bool power_fails = true;    ///< the device's, with what its disk had not synced
  bool network_fails = true;  ///< cuts, silence in one direction or both
  bool disk_fails = true;     ///< the device's: slow, full, writes and syncs that fail
  bool clocks_jump = true;    ///< the calendar
};

struct options {
  faults may;
  /// Of the device; 0: drawn, 0.2 to 1.7 s. Work beyond it is given to others.
  milliseconds lease{0};
  /// Messages that wait in a worker or are handled there, at most. Leases of waiting ones run too.
  std::uint32_t credit = 16;
  /// Faults over, everything must come to its end within this (virtual).
  std::chrono::seconds patience{60};
};

struct outcome {
  bool passed = false;
  std::uint64_t seed = 0;   ///< the one that failed; else the last one
  std::uint64_t seeds = 0;  ///< tried
  /// Who saw it: "handler" (what your handlers or check say), "survives" and "liveness" (it does
  /// not come to an end), "setup", "replay" (two runs of the seed differ), or a promise of
  /// Holdfast's own that does not hold (docs/simulator.md).
  std::string by;
  std::string why;
  std::string schedule;    ///< by search(): the faults that are left of it, one line each
  std::string story;       ///< who had the message when, and what happened around it
  std::uint64_t hash = 0;  ///< of everything that happened: equal in every run of the seed
  /// Over all seeds tried.
  std::uint64_t messages = 0, calls = 0, redelivered = 0, faults = 0, deaths = 0;
};
/// For people, some lines.
std::string to_text(const outcome& what);

}  // namespace simulated

/// A world, and how to make it anew for every run. Copies share nothing but what `build` captured.
class simulation {
 public:
  /// `build` is called at the begin of every run: what it makes is new in each.
  explicit simulation(std::function<void(simulated::world&)> build, simulated::options how = {});

  /// One seed, as it is.
  simulated::outcome run(std::uint64_t seed) const;
  /// Seeds from `first` on, `seeds` of them or for about so long, until one fails: that one with
  /// its faults made fewer as long as the same is seen.
  simulated::outcome search(std::uint64_t seeds, std::uint64_t first = 1) const;
  simulated::outcome search(std::chrono::seconds wall, std::uint64_t first = 1) const;

 private:
  std::function<void(simulated::world&)> build_;
  simulated::options how_;
};

}  // namespace holdfast
