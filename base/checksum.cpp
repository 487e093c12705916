#include "base/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace holdfast {

std::uint64_t checksum(bytes_view data, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace holdfast
