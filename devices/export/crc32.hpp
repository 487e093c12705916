// crc32: the checksum of MCAP (and of zlib, PNG, Ethernet): reflected polynomial 0xEDB88320. For
// files that others define; Holdfast's own formats use base/checksum.hpp.
#pragma once

#include <cstdint>

#include "base/coding.hpp"

namespace holdfast {

/// The sum of what came before and `data` in one; begin with 0.
std::uint32_t crc32(bytes_view data, std::uint32_t before = 0) noexcept;

}  // namespace holdfast
