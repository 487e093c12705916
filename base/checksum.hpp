// XXH3-64, the only checksum. xxhash is included in checksum.cpp alone.
#pragma once

#include <cstdint>

#include "base/coding.hpp"

namespace holdfast {

/// XXH3-64 of `data`; seed 0 for bodies and entries, position-derived for record headers.
std::uint64_t checksum(bytes_view data, std::uint64_t seed = 0) noexcept;

/// Low 32 bits of checksum().
inline std::uint32_t checksum32(bytes_view data, std::uint64_t seed = 0) noexcept {
  return static_cast<std::uint32_t>(checksum(data, seed));
}

}  // namespace holdfast
