// The sum is XXH3-64 on every processor, whichever way a length takes.
#include "base/checksum.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace holdfast::testing {
namespace {

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> made(size);
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 7 + i / 251);
  return made;
}

TEST_CASE("sums are those of XXH3-64, without and with a seed") {
  struct known {
    std::size_t size;
    std::uint64_t plain, seeded;
  };
  constexpr std::uint64_t seed = 0x9e3779b97f4a7c15ULL;
  for (const known& k :
       std::initializer_list<known>{{0, 0x2d06800538d394c2ULL, 0x602b0e2cd6662c8bULL},
                                    {64, 0x6efb76ff16f37561ULL, 0x480c38d0a89be795ULL},
                                    {240, 0x4917a75c0ef8eed7ULL, 0xf906157a86b7eac3ULL},
                                    {241, 0x541b19226f0052e8ULL, 0x6ec6d69819587a84ULL},
                                    {1024, 0xba464919c6bb3ccdULL, 0xf3f4521d752307dfULL},
                                    {65537, 0x24c6a1d79039600bULL, 0x5d351145a2c3a62bULL},
                                    {300000, 0x1c64defc2b162dc9ULL, 0x86ab3c1c4fc62bfULL}}) {
    CAPTURE(k.size);
    CHECK(checksum(pattern(k.size)) == k.plain);
    CHECK(checksum(pattern(k.size), seed) == k.seeded);
  }
}

}  // namespace
}  // namespace holdfast::testing
