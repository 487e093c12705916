// party: everybody in a run. fault_maker: what goes wrong, when, as drawn from the plan; stop()
// puts everything right again.
//
// Contract: one thread. A party is built in the order it depends on; nothing in it moves.
#pragma once

#include "sim/plan.hpp"

namespace holdfast::sim {

struct party {
  explicit party(const plan& p);

  random_source seeds;
  scheduler time;
  story told;
  checker judge;
  network net;
  device dev;
  std::vector<std::unique_ptr<producer>> producers;
  std::vector<std::unique_ptr<worker>> workers;
  std::vector<std::unique_ptr<plain_consumer>> plain_consumers;
};

class fault_maker {
 public:
  fault_maker(const plan& p, party& all);

  /// Starts everybody, then trouble from time to time.
  void begin();
  void stop();

 private:
  void later();
  void happen();
  fault draw();
  void on_device(fault what);
  void on_disk(fault what);
  void on_peers(fault what);
  void start_device_later();
  void watch_device();
  template <class T>
  T* any(std::vector<std::unique_ptr<T>>& of) {
    return of.empty() ? nullptr : of[random_.below(of.size())].get();
  }

  const plan& plan_;
  party& all_;
  random_source random_;
  bool stopped_ = false;
  bool starting_ = false;
};

}  // namespace holdfast::sim
