#include "tests/patterns/explorer_arena.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOLDFAST_ARENA 0
#else
#define HOLDFAST_ARENA 1
#endif

namespace holdfast::arena {
namespace {

// Blocks come in multiples of 32 bytes and go back into a list of their size; the state of the
// allocator is itself at the arena's beginning.
constexpr std::size_t grain = 32, classes = 160;  // up to 5 KiB

struct block {
  std::size_t size_class;
  block* next;  // free; the object's first bytes otherwise begin behind these 16
};
struct heart {
  std::size_t used;
  std::array<block*, classes> free;
};

alignas(64) std::byte memory[bytes_max];
bool inside = false;

heart& state() noexcept {
  return *reinterpret_cast<heart*>(memory);
}

[[maybe_unused]] bool holds(const void* at) noexcept {
  const auto* p = static_cast<const std::byte*>(at);
  return p >= memory && p < memory + bytes_max;
}

[[maybe_unused]] void* take(std::size_t size) {
  const std::size_t c = (size + sizeof(block) + grain - 1) / grain;
  heart& h = state();
  if (c < classes && h.free[c]) {
    block* b = h.free[c];
    h.free[c] = b->next;
    return b + 1;
  }
  check(h.used + c * grain <= bytes_max, "a world of the explorer fits its arena");
  auto* b = reinterpret_cast<block*>(memory + h.used);
  h.used += c * grain;
  b->size_class = c;
  return b + 1;
}

[[maybe_unused]] void give(void* at) noexcept {
  block* b = static_cast<block*>(at) - 1;
  if (b->size_class >= classes) return;  // rare and big: lost until the next put_back
  b->next = state().free[b->size_class];
  state().free[b->size_class] = b;
}

}  // namespace

bool available() noexcept {
  return HOLDFAST_ARENA != 0;
}

void clear() noexcept {
  state() = heart{(sizeof(heart) + 63) / 64 * 64, {}};
}

void snapshot(std::vector<std::byte>& into) {
  into.assign(memory, memory + state().used);
}

void put_back(const std::vector<std::byte>& from) noexcept {
  std::memcpy(memory, from.data(), from.size());
}

scope::scope() noexcept : before_(inside) {
  inside = true;
}
scope::~scope() {
  inside = before_;
}

}  // namespace holdfast::arena

#if HOLDFAST_ARENA
namespace arena = holdfast::arena;

void* operator new(std::size_t size) {
  void* made = arena::inside ? arena::take(size) : std::malloc(size ? size : 1);
  if (!made) throw std::bad_alloc();
  return made;
}

void operator delete(void* at) noexcept {
  if (arena::holds(at))
    arena::give(at);
  else
    std::free(at);
}

void operator delete(void* at, std::size_t) noexcept {
  operator delete(at);
}
#endif
