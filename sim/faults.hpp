// party: everybody in a run. fault_maker: what goes wrong, as the plan says; stop() puts everything
// right again.
//
// Contract: one thread. A party is built in the order it depends on; nothing in it moves.
#pragma once

#include "sim/plan.hpp"

namespace holdfast::sim {

struct party {
  explicit party(const plan& p);

  scheduler time;
  story told;
  judge judged;
  network net;
  surroundings all;
  device dev;
  std::unique_ptr<guests> visitors;
  std::vector<std::unique_ptr<application>> senders, receivers;

  template <class F>
  void each(F&& f) {
    for (auto& one : senders) f(*one);
    for (auto& one : receivers) f(*one);
  }
};

class fault_maker {
 public:
  fault_maker(const plan& p, party& all);

  /// Starts everybody; trouble comes as planned.
  void begin();
  void stop();
  std::uint64_t count() const noexcept { return happened_; }
  const fault_counts& counts() const noexcept { return of_; }

 private:
  void happen(const planned_fault& one);
  void on_line(fault what, random_source& salt);
  void on_device(fault what, random_source& salt);
  void on_disk(fault what, random_source& salt);
  void on_peers(fault what, random_source& salt);
  void rot(random_source& salt);
  void start_device_later();
  void watch_device();

  const plan& plan_;
  party& all_;
  random_source random_;
  std::uint64_t happened_ = 0;
  fault_counts of_{};
  bool stopped_ = false;
  bool starting_ = false;
};

}  // namespace holdfast::sim
