// The bytes of a segment: its header (two copies) and the 64-byte record header. Pure functions;
// docs/journal_format.md is the same in words. A change here is a new format version.
//
// Contract: positions are journal-wide byte addresses; record positions are multiples of 16. A
// record header is valid only at its own position, in its own journal and epoch: its sum is seeded
// with them, so bytes left over from former use of a place never pass.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/coding.hpp"
#include "base/record.hpp"
#include "journal/options.hpp"

namespace holdfast {

inline constexpr std::uint64_t segment_magic = 0x0031'4745'5346'4ca1ULL;
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t segment_header_bytes = 128;
inline constexpr std::uint64_t segment_header_copy_at = 2048;
inline constexpr std::uint64_t records_at = 4096;  ///< offset of a segment's first record
inline constexpr std::uint64_t file_unit = 4096;   ///< sizes and base positions are multiples
inline constexpr std::size_t record_header_bytes = 64;
inline constexpr std::uint64_t record_unit = 16;
inline constexpr std::uint64_t segment_bytes_min = 16ull << 10;
inline constexpr std::uint64_t segment_bytes_max = 1ull << 30;
/// No file is larger, oversize ones included: a record or a batch is at most about 1 GiB.
inline constexpr std::uint64_t file_bytes_max = 2ull << 30;

struct segment_header {
  bytes16_id journal_id{};
  std::uint64_t epoch = 0;  ///< rises with every open
  std::uint64_t base = 0;   ///< position of the file's first byte
  std::uint64_t size = 0;   ///< of the file
  std::uint32_t slot = 0;   ///< number in the file's name
  bool oversize = false;    ///< made for one record or batch
  bool spare = false;       ///< holds nothing of the log any more and waits to be used again
  bool reused = false;      ///< what lies behind its records is left over from a former use
  bytes16_id boot_id{};
  std::uint32_t previous_slot = 0;
  std::uint64_t previous_base = 0;  ///< the segment before this one; 0 with previous_end 0: none
  std::uint64_t previous_end = 0;   ///< position where the records of that segment end
  bool previous_durable = false;    ///< previous_end was synced before this header was written
  std::uint64_t time_ns = 0;        ///< realtime of its first use
  friend bool operator==(const segment_header&, const segment_header&) = default;
};

std::array<std::byte, segment_header_bytes> encode_segment_header(
    const segment_header& from) noexcept;
/// Empty unless magic, version and sum are right, and the size is one that segments have.
std::optional<segment_header> decode_segment_header(bytes_view from) noexcept;

bool all_zero(bytes_view bytes) noexcept;
/// Of the bytes before a segment's first record: neither place of a header holds anything. The sync
/// that makes the first records durable covers the header, so nothing of such a file was accepted
/// at level disk, unless a later segment or a checkpoint knows it.
bool header_never_written(bytes_view front) noexcept;

/// K: what every record header sum of a segment is seeded with, beside its position.
std::uint64_t segment_key(const bytes16_id& journal_id, std::uint64_t epoch) noexcept;

/// A record header as on disk, without its sum.
struct record_header {
  record_head head;
  std::uint32_t body_len = 0;
  std::uint64_t durable_delta = 0;  ///< position - watermark, saturated at 64 GiB - 16
  std::uint64_t batch_back = 0;     ///< bytes back to the batch's first record; 0 = it is the first
};

void encode_record_header(const record_header& from, std::uint64_t key, std::uint64_t position,
                          std::span<std::byte, record_header_bytes> to) noexcept;
/// The same in two steps: all but the sum, and the sum. Of many headers, first all of the one, then
/// all of the other: a sum taken right behind its bytes waits for them to reach the cache.
void lay_out_record_header(const record_header& from,
                           std::span<std::byte, record_header_bytes> to) noexcept;
void seal_record_header(std::span<std::byte, record_header_bytes> header, std::uint64_t key,
                        std::uint64_t position) noexcept;
/// Empty unless the sum is right for this place.
std::optional<record_header> decode_record_header(bytes_view from, std::uint64_t key,
                                                  std::uint64_t position) noexcept;

/// Bytes a record takes, padding included.
constexpr std::uint64_t record_size(std::uint64_t body_len) noexcept {
  return align_up(record_header_bytes + body_len, record_unit);
}

/// Record types of the journal itself are not handed to anybody.
constexpr bool is_own_record(record_type type) noexcept {
  return static_cast<std::uint8_t>(type) < 16;
}

/// A block whose messages got their numbers where it lies.
constexpr bool is_numbered_here(const record_head& head) noexcept {
  return head.type == record_type::block && (head.flags & record_flag::relocated) == 0;
}

/// Body of a gap record: what recovery cut. It opens the first segment of a new epoch.
struct gap_body {
  std::uint64_t from = 0;       ///< the tail: positions from here on were cut
  std::uint64_t to = 0;         ///< end of the last readable bytes behind it
  std::uint64_t watermark = 0;  ///< highest seen
  std::uint64_t cause = 0;      ///< 0 none, 1 torn tail, 2 torn tail under another boot id
};
inline constexpr std::size_t gap_body_bytes = 32;
void encode_gap_body(const gap_body& from, std::span<std::byte, gap_body_bytes> to) noexcept;

}  // namespace holdfast
