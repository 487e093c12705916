// mcap_writer: writes an MCAP file (major version 0, mcap.dev/spec): header, chunks with their CRC
// and message indexes, data end, summary with schemas, channels, statistics and chunk indexes,
// summary offsets, footer. Chunks are not compressed.
//
// Contract: begin(), then messages of channels made before, then finish(). One forward pass: what
// it writes to need not be able to seek. Topics, names and metadata are UTF-8. Memory: one chunk (4
// MiB, or the largest message), and in the summary a row for each chunk and channel of it. Limits
// of the format: 65 535 channels and as many schemas, message data below 4 GiB.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices/export/output_file.hpp"

namespace holdfast {

using mcap_metadata = std::vector<std::pair<std::string, std::string>>;

class mcap_writer {
 public:
  static constexpr std::size_t chunk_bytes = 4u << 20;

  explicit mcap_writer(output_file& to) : to_(to) {}
  status begin(std::string_view library);
  /// The schema's id; 0 is no schema.
  result<std::uint16_t> add_schema(std::string_view name, std::string_view encoding,
                                   bytes_view data);
  result<std::uint16_t> add_channel(std::uint16_t schema, std::string_view topic,
                                    std::string_view message_encoding,
                                    const mcap_metadata& metadata);
  /// One message, its data in consecutive pieces.
  status add_message(std::uint16_t channel, std::uint32_t sequence, std::uint64_t log_time_ns,
                     std::uint64_t publish_time_ns, std::span<const bytes_view> data);
  status finish();

 private:
  struct index_entry {
    std::uint64_t time_ns = 0;
    std::uint64_t offset = 0;  // in the chunk
  };
  struct chunk_row {
    std::uint64_t first_ns = 0, last_ns = 0;
    std::uint64_t at = 0, size = 0;  // of the chunk record in the file
    std::vector<std::pair<std::uint16_t, std::uint64_t>> indexes;  // channel, offset in the file
    std::uint64_t index_bytes = 0;
    std::uint64_t bytes = 0;  // of its records
  };
  struct group {
    std::uint8_t opcode = 0;
    std::uint64_t at = 0, size = 0;
  };

  status write(bytes_view bytes);
  status flush_chunk();
  status write_indexes(chunk_row& row);
  void put_statistics(std::vector<std::byte>& to) const;
  void put_chunk_index(const chunk_row& row, std::vector<std::byte>& to) const;
  status write_summary();

  output_file& to_;
  std::uint32_t data_crc_ = 0;
  std::vector<std::byte> records_;                           // of the chunk being filled
  std::map<std::uint16_t, std::vector<index_entry>> index_;  // of its messages
  std::uint64_t chunk_first_ns_ = ~std::uint64_t{0}, chunk_last_ns_ = 0;
  std::vector<std::byte> schemas_, channels_;  // as records, again in the summary
  std::uint16_t schema_count_ = 0;
  std::uint16_t channel_count_ = 0;
  std::vector<std::uint64_t> channel_messages_;  // by channel id - 1
  std::uint64_t messages_ = 0;
  std::uint64_t first_ns_ = ~std::uint64_t{0}, last_ns_ = 0;
  std::vector<chunk_row> chunks_;
};

}  // namespace holdfast
