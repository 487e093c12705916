// guests: applications that somebody brings into a run beside those its plan has drawn, and what
// they want to be true at its end.
//
// Contract: one thread. Made anew for every run, so that a replay begins as the run did.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/random.hpp"

namespace holdfast::sim {

class judge;
struct party;
struct plan;

class guests {
 public:
  virtual ~guests() = default;
  /// Adds them to the senders and receivers, which it outlives.
  virtual void join(party& run, const plan& of, random_source seeds) = 0;
  /// Everything has come to its end, and Holdfast's own promises hold.
  virtual void at_end(judge& judged, std::uint64_t now) = 0;
};

using invitation = std::function<std::unique_ptr<guests>()>;

}  // namespace holdfast::sim
