// retention: frees segments in which nothing is live and nothing is needed for a restart: the
// records that freed them are durable, and they end before the older of the two kept checkpoints.
// Their files become spares, or are removed when there are enough.
#pragma once

#include "journal/loaded_windows.hpp"
#include "journal/spare_pool.hpp"

namespace holdfast {

class retention {
 public:
  retention(core& shared, loaded_windows& windows, spare_pool& spares)
      : core_(shared), windows_(windows), spares_(spares) {}

  /// Frees what may go, if anything changed since the last call.
  void sweep();
  /// Segments that only wait for a checkpoint to go.
  std::uint64_t waiting() const noexcept { return waiting_; }

 private:
  core& core_;
  loaded_windows& windows_;
  spare_pool& spares_;
  std::uint64_t waiting_ = 0;
};

}  // namespace holdfast
