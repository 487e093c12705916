// Memory of slabs that were let go: to whom it goes, and how much of it is kept.
#include "base/slab_memory.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

constexpr std::size_t mib = 1u << 20;

TEST_CASE("who asks for as much gets what was used last, whoever used it") {
  slab_memory used;
  std::thread([&] { give_back(used = take_slab_memory(mib)); }).join();
  const slab_memory same = take_slab_memory(mib);
  CHECK(same.bytes == used.bytes);
  give_back(same);
  const slab_memory less = take_slab_memory(mib * 9 / 10);
  CHECK(less.bytes == used.bytes);
  CHECK(less.capacity == mib);
  give_back(less);
}

TEST_CASE("a piece much larger than asked for stays where it is") {
  const slab_memory large = take_slab_memory(2 * mib);
  give_back(large);
  const slab_memory half = take_slab_memory(mib);
  CHECK(half.bytes != large.bytes);
  CHECK(half.capacity < 2 * mib);
  give_back(half);
}

TEST_CASE("no more than 16 MiB are kept") {
  std::vector<slab_memory> many;
  for (int i = 0; i < 10; ++i) many.push_back(take_slab_memory(3 * mib));
  for (const slab_memory& one : many) give_back(one);
  int kept = 0;
  for (slab_memory& one : many)
    kept += (one = take_slab_memory(3 * mib * 5 / 6)).capacity == 3 * mib;
  CHECK(kept > 0);
  CHECK(kept * 3 <= 16);
  for (const slab_memory& one : many) give_back(one);
}

TEST_CASE("what was freed is not handed out again") {
  constexpr std::size_t large = 15 * mib;  // the pool takes it, and no other beside it
  give_back(take_slab_memory(large));
  free_kept_slabs();
  const slab_memory others[] = {take_slab_memory(large), take_slab_memory(large)};
  for (const slab_memory& one : others) give_back(one);
  CHECK(take_slab_memory(large * 9 / 10).capacity == large);  // one was kept: the count began anew
}

}  // namespace
}  // namespace holdfast::testing
