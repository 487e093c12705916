// slab_memory: the bytes of a slab. Big ones go from who is done with them to the next who asks:
// fresh memory of the system costs a page fault for each 4 KiB of it.
//
// Contract: any thread. Keeps at most 16 MiB, process-wide; what is handed out is not initialized.
#pragma once

#include <cstddef>
#include <memory>

namespace holdfast {

struct slab_memory_deleter {
  std::size_t capacity = 0;
  void operator()(std::byte* memory) const noexcept;
};
using slab_memory = std::unique_ptr<std::byte[], slab_memory_deleter>;

/// At least `capacity` bytes; its deleter says how many.
slab_memory take_slab_memory(std::size_t capacity);

}  // namespace holdfast
