#include "base/checksum.hpp"

// Two faces of one header: the library's functions, one of which takes the widest registers that
// the processor has, and code that is compiled in here, for what is too short to be worth a call.
#if defined(__x86_64__)
#define XXH_DISPATCH_DISABLE_REPLACE
#include <xxh_x86dispatch.h>
#endif
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace holdfast {
namespace {

constexpr std::size_t short_bytes_max = 240;  // XXH3 has another way for what is longer

}  // namespace

std::uint64_t checksum(bytes_view data, std::uint64_t seed) noexcept {
#if defined(__x86_64__)
  if (data.size() > short_bytes_max)
    return XXH3_64bits_withSeed_dispatch(data.data(), data.size(), seed);
#endif
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace holdfast
