#include "journal/format.hpp"

#include <algorithm>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t oversize_flag = 1;
constexpr std::uint32_t previous_durable_flag = 2;
constexpr std::uint32_t spare_flag = 4;
constexpr std::uint32_t reused_flag = 8;
constexpr std::size_t segment_sum_at = 120;
constexpr std::uint64_t delta_max = std::uint64_t{0xffff'ffff} * record_unit;

bytes16_id load_id(const std::byte* from) noexcept {
  bytes16_id id;
  std::memcpy(id.data(), from, id.size());
  return id;
}

std::uint32_t flags_of(const segment_header& from) noexcept {
  return (from.oversize ? oversize_flag : 0u) |
         (from.previous_durable ? previous_durable_flag : 0u) | (from.spare ? spare_flag : 0u) |
         (from.reused ? reused_flag : 0u);
}

void take_flags(std::uint32_t flags, segment_header& to) noexcept {
  to.oversize = (flags & oversize_flag) != 0;
  to.previous_durable = (flags & previous_durable_flag) != 0;
  to.spare = (flags & spare_flag) != 0;
  to.reused = (flags & reused_flag) != 0;
}

}  // namespace

std::array<std::byte, segment_header_bytes> encode_segment_header(
    const segment_header& from) noexcept {
  std::array<std::byte, segment_header_bytes> to{};
  store(&to[0], segment_magic);
  store(&to[8], format_version);
  store(&to[12], from.slot);
  std::memcpy(&to[16], from.journal_id.data(), 16);
  store(&to[32], from.epoch);
  store(&to[40], from.base);
  store(&to[48], from.size);
  store(&to[56], flags_of(from));
  store(&to[60], from.previous_slot);
  std::memcpy(&to[64], from.boot_id.data(), 16);
  store(&to[80], from.previous_base);
  store(&to[88], from.previous_end);
  store(&to[96], from.time_ns);
  store(&to[segment_sum_at], checksum(bytes_view(to).first(segment_sum_at)));
  return to;
}

std::optional<segment_header> decode_segment_header(bytes_view from) noexcept {
  if (from.size() < segment_header_bytes) return {};
  const std::byte* p = from.data();
  if (load<std::uint64_t>(p) != segment_magic || load<std::uint32_t>(p + 8) != format_version)
    return {};
  if (load<std::uint64_t>(p + segment_sum_at) != checksum(from.first(segment_sum_at))) return {};
  segment_header to;
  to.slot = load<std::uint32_t>(p + 12);
  to.journal_id = load_id(p + 16);
  to.epoch = load<std::uint64_t>(p + 32);
  to.base = load<std::uint64_t>(p + 40);
  to.size = load<std::uint64_t>(p + 48);
  if (to.size > file_bytes_max || to.size % file_unit != 0 || to.base % file_unit != 0) return {};
  take_flags(load<std::uint32_t>(p + 56), to);
  to.previous_slot = load<std::uint32_t>(p + 60);
  to.boot_id = load_id(p + 64);
  to.previous_base = load<std::uint64_t>(p + 80);
  to.previous_end = load<std::uint64_t>(p + 88);
  to.time_ns = load<std::uint64_t>(p + 96);
  return to;
}

bool all_zero(bytes_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

bool header_never_written(bytes_view front) noexcept {
  return all_zero(front.first(segment_header_bytes)) &&
         all_zero(front.subspan(segment_header_copy_at, segment_header_bytes));
}

std::uint64_t segment_key(const bytes16_id& journal_id, std::uint64_t epoch) noexcept {
  std::array<std::byte, 24> seed{};
  std::memcpy(seed.data(), journal_id.data(), 16);
  store(&seed[16], epoch);
  return checksum(seed);
}

void encode_record_header(const record_header& from, std::uint64_t key, std::uint64_t position,
                          std::span<std::byte, record_header_bytes> to) noexcept {
  lay_out_record_header(from, to);
  seal_record_header(to, key, position);
}

void lay_out_record_header(const record_header& from,
                           std::span<std::byte, record_header_bytes> to) noexcept {
  const record_head& head = from.head;
  store(&to[4], from.body_len);
  store(&to[8], static_cast<std::uint8_t>(head.type));
  store(&to[9], head.flags);
  store(&to[10], head.count);
  store(&to[12], head.stream);
  store(&to[16], head.first_sequence);
  store(&to[24], head.time_ns);
  store(&to[32], head.body_sum);
  store(&to[40], static_cast<std::uint32_t>(std::min(from.durable_delta, delta_max) / record_unit));
  store(&to[44], static_cast<std::uint32_t>(from.batch_back / record_unit));
  store(&to[48], head.producer);
  store(&to[52], head.body_format);
  store(&to[54], head.props_mask);
  store(&to[55], static_cast<std::uint8_t>(head.need));
  store(&to[56], head.producer_number);
}

void seal_record_header(std::span<std::byte, record_header_bytes> header, std::uint64_t key,
                        std::uint64_t position) noexcept {
  store(&header[0], checksum32(header.subspan(4), key + position));
}

std::optional<record_header> decode_record_header(bytes_view from, std::uint64_t key,
                                                  std::uint64_t position) noexcept {
  if (from.size() < record_header_bytes) return {};
  const std::byte* p = from.data();
  // Unwritten space is zero: no record has type 0, and this spares the sum.
  if (p[8] == std::byte{0}) return {};
  if (load<std::uint32_t>(p) !=
      checksum32(from.subspan(4, record_header_bytes - 4), key + position))
    return {};
  record_header to;
  to.body_len = load<std::uint32_t>(p + 4);
  to.head.type = static_cast<record_type>(load<std::uint8_t>(p + 8));
  to.head.flags = load<std::uint8_t>(p + 9);
  to.head.count = load<std::uint16_t>(p + 10);
  to.head.stream = load<std::uint32_t>(p + 12);
  to.head.first_sequence = load<std::uint64_t>(p + 16);
  to.head.time_ns = load<std::uint64_t>(p + 24);
  to.head.body_sum = load<std::uint64_t>(p + 32);
  to.durable_delta = load<std::uint32_t>(p + 40) * record_unit;
  to.batch_back = load<std::uint32_t>(p + 44) * record_unit;
  to.head.producer = load<std::uint32_t>(p + 48);
  to.head.body_format = load<std::uint16_t>(p + 52);
  to.head.props_mask = load<std::uint8_t>(p + 54);
  to.head.need = static_cast<level>(load<std::uint8_t>(p + 55));
  to.head.producer_number = load<std::uint64_t>(p + 56);
  return to;
}

void encode_gap_body(const gap_body& from, std::span<std::byte, gap_body_bytes> to) noexcept {
  store(&to[0], from.from);
  store(&to[8], from.to);
  store(&to[16], from.watermark);
  store(&to[24], from.cause);
}

}  // namespace holdfast
