// slab_memory: the bytes of slabs. Big pieces go from who is done with them to the next who asks:
// fresh memory of the system costs a page fault for each 4 KiB of it.
//
// Contract: any thread. Keeps at most 16 MiB, process-wide; what is handed out is not initialized.
#pragma once

#include <cstddef>

namespace holdfast {

struct slab_memory {
  std::byte* bytes = nullptr;
  std::size_t capacity = 0;  ///< may be more than was asked for
};

slab_memory take_slab_memory(std::size_t capacity);
void give_back(slab_memory memory) noexcept;
/// What is kept goes to the allocator.
void free_kept_slabs() noexcept;

}  // namespace holdfast
