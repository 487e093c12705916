// Memory of slabs that were let go: to whom it goes, and how much of it is kept.
#include "base/slab_memory.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

constexpr std::size_t mib = 1u << 20;

TEST_CASE("who asks for as much gets what was used last, whoever used it") {
  const std::byte* used = nullptr;
  std::thread([&] { used = take_slab_memory(mib).get(); }).join();
  CHECK(take_slab_memory(mib).get() == used);
  const slab_memory less = take_slab_memory(mib * 9 / 10);
  CHECK(less.get() == used);
  CHECK(less.get_deleter().capacity == mib);
}

TEST_CASE("a piece much larger than asked for stays where it is") {
  const std::byte* used = take_slab_memory(2 * mib).get();
  const slab_memory half = take_slab_memory(mib);
  CHECK(half.get() != used);
  CHECK(half.get_deleter().capacity < 2 * mib);
}

TEST_CASE("no more than 16 MiB are kept") {
  constexpr std::size_t size = 3 * mib;
  std::set<const std::byte*> let_go;
  {
    std::vector<slab_memory> many;
    for (int i = 0; i < 10; ++i) {
      many.push_back(take_slab_memory(size));
      let_go.insert(many.back().get());
    }
  }
  // What fits in beside the others, and not a fourth more.
  std::size_t kept = 0;
  std::vector<slab_memory> again;
  for (int i = 0; i < 10; ++i) {
    again.push_back(take_slab_memory(size * 5 / 6));
    kept += again.back().get_deleter().capacity == size ? 1 : 0;
  }
  CHECK(kept >= 3);
  CHECK(kept <= 5);
}

}  // namespace
}  // namespace holdfast::testing
