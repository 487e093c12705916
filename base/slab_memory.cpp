#include "base/slab_memory.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t kept_min = 128u << 10;  ///< smaller ones the allocator keeps itself
constexpr std::size_t kept_bytes_max = 16u << 20;

class kept_memory {
 public:
  kept_memory() { pieces_.reserve(kept_bytes_max / kept_min); }

  slab_memory take(std::size_t capacity) {
    const std::lock_guard held(mutex_);
    const auto fits = [&](const piece& p) {
      return p.capacity >= capacity && p.capacity - capacity <= capacity / 4;
    };
    const auto found = std::find_if(pieces_.rbegin(), pieces_.rend(), fits);  // the warmest first
    if (found == pieces_.rend()) return {};
    const piece taken = *found;
    bytes_ -= taken.capacity;
    pieces_.erase(std::next(found).base());
    return slab_memory(taken.memory, {taken.capacity});
  }
  bool put(std::byte* memory, std::size_t capacity) noexcept {
    const std::lock_guard held(mutex_);
    if (bytes_ + capacity > kept_bytes_max) return false;
    bytes_ += capacity;
    pieces_.push_back({memory, capacity});
    return true;
  }

 private:
  struct piece {
    std::byte* memory;
    std::size_t capacity;
  };
  std::mutex mutex_;
  std::vector<piece> pieces_;
  std::size_t bytes_ = 0;
};

// Never destroyed: slabs may outlive every other static object.
kept_memory& kept() {
  static auto* const one = new kept_memory;
  return *one;
}

}  // namespace

slab_memory take_slab_memory(std::size_t capacity) {
  if (capacity >= kept_min)
    if (slab_memory used = kept().take(capacity)) return used;
  return slab_memory(new std::byte[capacity], {capacity});
}

void slab_memory_deleter::operator()(std::byte* memory) const noexcept {
  if (capacity < kept_min || !kept().put(memory, capacity)) delete[] memory;
}

}  // namespace holdfast
