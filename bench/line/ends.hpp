// ends: what a contestant is made of: a broker, and the two ends that a producer's and a consumer's
// process have of it. Everything else of a measurement is the same for all.
//
// Contract: a setup is made in the parent, its ends in the children; an end is used by one thread.
// Failures give_up().
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "bench/line/bodies.hpp"
#include "bench/line/intake.hpp"
#include "bench/line/work.hpp"
#include "bench/surroundings.hpp"

namespace holdfast::bench {

class sender {
 public:
  virtual ~sender() = default;
  /// Sends one message; waits while too much is not accepted yet.
  virtual void send(body_view body) = 0;
  /// Waits until everything sent is accepted, where the contestant has accepts.
  virtual void finish() {}
};

class receiver {
 public:
  virtual ~receiver() = default;
  /// Takes and acks what is there, or comes within a tenth of a second.
  virtual void receive(intake& into) = 0;
  /// Makes sure that all acks have left.
  virtual void finish() {}
};

/// A broker that runs, and what makes the ends of a line through it.
struct setup {
  std::unique_ptr<scratch_directory> scratch;  ///< outlives the broker
  std::optional<child> beside;                 ///< a process that the broker needs
  std::optional<child> broker;                 ///< none where the ends meet without one
  std::function<std::unique_ptr<sender>()> make_sender;
  std::function<std::unique_ptr<receiver>()> make_receiver;
};
using opener = std::function<setup(const work&)>;

}  // namespace holdfast::bench
