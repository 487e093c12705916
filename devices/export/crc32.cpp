#include "devices/export/crc32.hpp"

#include <array>

namespace holdfast {
namespace {

constexpr std::size_t slices = 8;
using tables = std::array<std::array<std::uint32_t, 256>, slices>;

// table[k][b]: what byte b contributes with k more bytes behind it, so that eight are one step.
constexpr tables make_tables() {
  tables made{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t sum = b;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xEDB88320u : 0u);
    made[0][b] = sum;
  }
  for (std::size_t k = 1; k < slices; ++k)
    for (std::size_t b = 0; b < 256; ++b)
      made[k][b] = (made[k - 1][b] >> 8) ^ made[0][made[k - 1][b] & 0xff];
  return made;
}

constexpr tables table = make_tables();

}  // namespace

std::uint32_t crc32(bytes_view data, std::uint32_t before) noexcept {
  std::uint32_t sum = ~before;
  for (; data.size() >= slices; data = data.subspan(slices)) {
    const std::uint64_t eight = load<std::uint64_t>(data.data()) ^ sum;
    sum = 0;
    for (std::size_t i = 0; i < slices; ++i)
      sum ^= table[slices - 1 - i][(eight >> (8 * i)) & 0xff];
  }
  for (const std::byte b : data)
    sum = (sum >> 8) ^ table[0][(sum ^ std::to_integer<std::uint32_t>(b)) & 0xff];
  return ~sum;
}

}  // namespace holdfast
