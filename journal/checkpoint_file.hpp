// The bytes of a checkpoint file: a header and chunks, each with its sum. Pure functions;
// docs/journal_format.md is the same in words.
//
// Contract: the file is valid only as a whole: header right, every chunk right, an end chunk. What
// lies behind the end chunk (preallocated space) does not matter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/block_index.hpp"
#include "journal/segment_table.hpp"

namespace holdfast {

inline constexpr std::uint64_t checkpoint_magic = 0x0031'504b'4346'4ca1ULL;
/// Version 1 is read as well: its rows have bits of their own (kinds 2 and 4).
inline constexpr std::uint32_t checkpoint_version = 2;
inline constexpr std::size_t checkpoint_header_bytes = 128;
inline constexpr std::size_t chunk_header_bytes = 32;
inline constexpr std::uint64_t chunk_bytes_max = 1ull << 20;
struct checkpoint_header {
  bytes16_id journal_id{};
  std::uint64_t number = 0;    ///< rises with every checkpoint
  std::uint64_t position = 0;  ///< replay starts here
  std::uint64_t epoch = 0;     ///< of the journal when it was written
  bytes16_id boot_id{};
  std::uint64_t time_ns = 0;
};

enum class chunk_kind : std::uint32_t {
  segments = 1,
  old_index = 2,  ///< version 1
  streams = 3,
  old_gone = 4,  ///< version 1
  indexed = 5,
  places = 6,
  finished = 7,
  rows = 16,
  end = 255
};
inline constexpr std::size_t segment_row_bytes = segment_header_bytes + 8;
inline constexpr std::size_t stream_row_bytes = 24;
inline constexpr std::size_t place_row_bytes = 32;
inline constexpr std::size_t finished_head_bytes = 24;

void encode_checkpoint_header(const checkpoint_header& from,
                              std::span<std::byte, checkpoint_header_bytes> to) noexcept;

/// False unless magic, version and sum are right.
bool decode_checkpoint_header(bytes_view from, checkpoint_header& to);

/// Appends a chunk to `to`; `at` is its offset in the file, a multiple of 16, as is its size.
void append_chunk(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at,
                  chunk_kind kind, bytes_view data);

/// Collects rows of one kind and cuts them into chunks.
class chunk_maker {
 public:
  chunk_maker(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t& at,
              chunk_kind kind)
      : to_(to), of_(of), at_(at), kind_(kind) {}
  /// Where the next row goes, of so many bytes; zeros.
  std::byte* row(std::size_t size);
  void flush();

 private:
  std::vector<std::byte>& to_;
  const checkpoint_header& of_;
  std::uint64_t& at_;  // offset in the file of what comes next
  chunk_kind kind_;
  std::vector<std::byte> data_;
};

struct listed_segment {
  segment_header header;
  std::uint64_t end = 0;
};
struct listed_row {
  stream_id stream = no_stream;
  index_row row;
};
struct listed_stream {
  stream_id stream = no_stream;
  std::uint64_t floor = 0;
  std::uint64_t next = 0;
};
/// Finished above the floor: `whole` messages from `first` on, then bits.
struct listed_finished {
  stream_id stream = no_stream;
  std::uint64_t first = 0;
  std::uint64_t whole = 0;
  std::vector<std::uint64_t> words;
};
struct listed_live {
  stream_id stream = no_stream;
  range messages;
};

struct checkpoint_content {
  checkpoint_header header;
  std::vector<listed_segment> segments;
  std::vector<listed_stream> streams;
  std::vector<listed_finished> finished;
  std::vector<listed_live> live;  ///< not finished, whatever the rows above say (version 1)
  std::vector<listed_row> rows;
  std::vector<std::uint64_t> indexed;  ///< bases of segments whose rows are in their index files
  std::vector<std::byte> pattern_rows;
  std::uint64_t size = 0;  ///< up to the end of the end chunk
};
result<checkpoint_content> parse_checkpoint(bytes_view file, const std::string& name);
/// How many bytes of the file to read next, if these are its first: up to the end chunk if that is
/// there, else `ahead` more than is needed to get on.
std::uint64_t checkpoint_bytes_wanted(bytes_view file, std::uint64_t ahead);
/// What it says of streams, of what is finished and of places, given to an index that is empty.
void restore_index(const checkpoint_content& from, block_index& to);

/// "checkpoint.000012"
std::string checkpoint_name(std::uint64_t number);
std::int64_t checkpoint_number(const std::string& name);
inline constexpr const char* checkpoint_temporary = "checkpoint.tmp";

}  // namespace holdfast
