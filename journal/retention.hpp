// retention: removes segments in which nothing is live and nothing is needed for a restart: the
// records that freed them are durable, and they end before the older of the two kept checkpoints.
#pragma once

#include "journal/backlog_reader.hpp"

namespace holdfast {

class retention {
 public:
  retention(core& shared, backlog_reader& backlog) : core_(shared), backlog_(backlog) {}

  /// Removes what may go, if anything changed since the last call.
  void sweep();
  /// Segments only wait for a checkpoint to go.
  bool waiting() const noexcept { return waiting_; }

 private:
  core& core_;
  backlog_reader& backlog_;
  bool waiting_ = false;
};

}  // namespace holdfast
