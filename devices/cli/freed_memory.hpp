// freed_memory: what the program does with memory it has freed: kept while there is work, given
// back to the system once there is none.
//
// Contract: process-wide; nothing throws.
#pragma once

#include <cstdint>

namespace holdfast::cli {

/// To be called before other threads are started.
void keep_freed_memory() noexcept;

/// Sees from the processor time of the process whether there is work. One object, one thread.
class freed_memory {
 public:
  static constexpr int look_every_ms = 1000;
  /// To be called so often: gives back what is kept, in the first seconds without work.
  void look() noexcept;

 private:
  std::uint64_t worked_ns_ = 0;  ///< at the last look
  unsigned idle_looks_ = 0;      ///< since there was work
};

}  // namespace holdfast::cli
