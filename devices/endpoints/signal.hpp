// signal: the descriptor an application polls. It costs nothing until it is asked for.
//
// Contract: guarded by the caller's lock.
#pragma once

#include <memory>

#include "devices/loop/wake.hpp"

namespace holdfast {

class signal {
 public:
  /// `ready`: whether there is something to see right now.
  int fd(bool ready) {
    if (!wake_) wake_ = std::make_unique<wake>();
    set(ready);
    return wake_->fd();
  }
  void set(bool ready) {
    if (!wake_ || ready == raised_) return;
    raised_ = ready;
    ready ? wake_->signal() : wake_->clear();
  }

 private:
  std::unique_ptr<wake> wake_;
  bool raised_ = false;
};

}  // namespace holdfast
