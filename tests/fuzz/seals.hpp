// seals: makes the sums of damaged structures right again, so that a fuzzer reaches what lies
// behind them.
#pragma once

#include <vector>

#include "base/checksum.hpp"
#include "journal/checkpoint_file.hpp"
#include "journal/format.hpp"

namespace holdfast::testing {

inline void seal_segment_header(std::span<std::byte> at) {
  if (at.size() < segment_header_bytes) return;
  store(at.data(), segment_magic);
  store(&at[8], format_version);
  store(&at[120], checksum(at.first(120)));
}

inline void seal_checkpoint(std::vector<std::byte>& file, bool chunks) {
  if (file.size() < checkpoint_header_bytes) return;
  store(file.data(), checkpoint_magic);
  store(&file[8], format_version);
  store(&file[120], checksum(std::span(file).first(120)));
  bytes16_id id;
  std::memcpy(id.data(), &file[16], id.size());
  const std::uint64_t seed = segment_key(id, load<std::uint64_t>(&file[32]));
  for (std::size_t at = checkpoint_header_bytes;
       chunks && at + chunk_header_bytes <= file.size();) {
    const std::uint64_t size = load<std::uint32_t>(&file[at + 12]);
    const std::uint64_t left = file.size() - at - chunk_header_bytes;
    if (size <= left)
      store(&file[at + 16], checksum({file.data() + at + chunk_header_bytes, size}));
    store(&file[at], checksum({&file[at + 8], chunk_header_bytes - 8}, seed + at));
    if (size > left) return;
    at += align_up(chunk_header_bytes + size, record_unit);
  }
}

/// Records from `position` on, with the sums of their headers, and of their bodies too.
inline void seal_records(std::span<std::byte> records, std::uint64_t key, std::uint64_t position,
                         bool bodies) {
  for (std::size_t at = 0; at + record_header_bytes <= records.size();) {
    const std::span<std::byte> head = records.subspan(at, record_header_bytes);
    const std::uint64_t body = load<std::uint32_t>(&head[4]);
    const std::uint64_t left = records.size() - at - record_header_bytes;
    if (bodies && body <= left)
      store(&head[32], checksum({head.data() + record_header_bytes, body}));
    store(head.data(), checksum32(head.subspan(4), key + position + at));
    if (body > left) return;
    at += record_size(body);
  }
}

}  // namespace holdfast::testing
