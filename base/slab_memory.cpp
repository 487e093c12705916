#include "base/slab_memory.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/buffer.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kept_min = 128u << 10;  // smaller ones the allocator keeps itself
constexpr std::size_t kept_bytes_max = 16u << 20;

class kept_memory {
 public:
  kept_memory() { pieces_.reserve(kept_bytes_max / kept_min); }

  slab_memory take(std::size_t capacity) {
    const std::lock_guard held(mutex_);
    const auto fits = [capacity](const slab_memory& piece) {
      return piece.capacity >= capacity && piece.capacity - capacity <= capacity / 4;
    };
    const auto found = std::find_if(pieces_.rbegin(), pieces_.rend(), fits);  // the warmest first
    if (found == pieces_.rend()) return {};
    const slab_memory taken = *found;
    pieces_.erase(std::next(found).base());
    bytes_ -= taken.capacity;
    return taken;
  }
  bool put(slab_memory piece) noexcept {
    const std::lock_guard held(mutex_);
    if (bytes_ + piece.capacity > kept_bytes_max) return false;
    bytes_ += piece.capacity;
    pieces_.push_back(piece);
    return true;
  }
  void free_all() noexcept {
    const std::lock_guard held(mutex_);
    for (const slab_memory& piece : pieces_) delete[] piece.bytes;
    pieces_.clear();
    bytes_ = 0;
  }

 private:
  std::mutex mutex_;
  std::vector<slab_memory> pieces_;
  std::size_t bytes_ = 0;
};

// Never destroyed: slabs may outlive every other static object.
kept_memory& kept() {
  static auto* const one = new kept_memory;
  return *one;
}

}  // namespace

slab_memory take_slab_memory(std::size_t capacity) {
  const slab_memory used = capacity >= kept_min ? kept().take(capacity) : slab_memory{};
  return used.bytes ? used : slab_memory{new std::byte[capacity], capacity};
}

void give_back(slab_memory memory) noexcept {
  if (memory.capacity < kept_min || !kept().put(memory)) delete[] memory.bytes;
}

void free_kept_slabs() noexcept {
  kept().free_all();
}

slab::slab(std::size_t capacity) : buffer(kind::slab) {
  const slab_memory taken = take_slab_memory(capacity);
  memory_ = taken.bytes;
  capacity_ = taken.capacity;
}

slab::~slab() {
  give_back({memory_, capacity_});
}

}  // namespace holdfast
