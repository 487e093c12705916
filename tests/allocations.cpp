#include "tests/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t own = 0;
std::atomic<std::uint64_t> all = 0;
}  // namespace

// NOLINTBEGIN: the counting replacements of the global operators
// Under sanitizers gcc takes no notice of this operator new.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++own;
  all.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void* operator new(std::size_t size) {
  if (void* got = operator new(size, std::nothrow)) return got;
  throw std::bad_alloc();
}
void operator delete(void* what) noexcept {
  std::free(what);
}
void operator delete(void* what, std::size_t) noexcept {
  std::free(what);
}
#pragma GCC diagnostic pop
// NOLINTEND

namespace holdfast::testing {

std::uint64_t allocations_of_this_thread() noexcept {
  return own;
}

std::uint64_t allocations_of_all_threads() noexcept {
  return all;
}

}  // namespace holdfast::testing
