#include "base/slab_memory.hpp"

#include <array>
#include <mutex>

namespace holdfast {
namespace {

struct kept_memory {
  std::mutex mutex;
  std::array<std::byte*, kept_bytes_max / kept_slab_bytes> of{};
  std::size_t count = 0;
};

// Never destroyed: slabs may outlive every other static object.
kept_memory& kept() {
  static auto* const one = new kept_memory;
  return *one;
}

}  // namespace

slab_memory take_slab_memory(std::size_t capacity) {
  if (capacity == kept_slab_bytes) {
    kept_memory& from = kept();
    const std::lock_guard held(from.mutex);
    if (from.count > 0) return slab_memory(from.of[--from.count], {capacity});
  }
  return slab_memory(new std::byte[capacity], {capacity});
}

void slab_memory_deleter::operator()(std::byte* memory) const noexcept {
  if (capacity == kept_slab_bytes) {
    kept_memory& to = kept();
    const std::lock_guard held(to.mutex);
    if (to.count < to.of.size()) {
      to.of[to.count++] = memory;
      return;
    }
  }
  delete[] memory;
}

}  // namespace holdfast
