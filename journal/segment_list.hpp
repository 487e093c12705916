// segment_list: the segments of a journal's directory as their headers tell, for readers that do
// not open the journal, and what a segment's file is at this moment.
//
// Contract: blocking; takes no lock, never writes. The answer is of the moment it was read: a file
// may be trimmed or used again right after, which segment_is_there() tells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/format.hpp"
#include "journal/read_file.hpp"
#include "journal/record_walker.hpp"

namespace holdfast {

struct segment_info {
  std::string name;  ///< "seg/000017.seg"
  segment_header header;
  std::uint64_t end = 0;        ///< where its successor says the records end; 0 = unknown
  bool header_damaged = false;  ///< of the two copies only the second is good
  bool copy_damaged = false;    ///< of the two copies the second is bad
  bool in_log = true;           ///< false: cut off, abandoned, or no part of the chain
};

struct segment_list {
  std::vector<segment_info> segments;   ///< by base position
  std::vector<std::string> unreadable;  ///< files without a readable header that hold data
  std::vector<std::string> spares;      ///< files that hold nothing of the log
  /// Files with records that no header leads to: it was never written, and no segment names them.
  std::vector<std::string> unused;
};

/// errc::not_found if DIR/seg cannot be listed.
result<segment_list> list_segments(const std::string& directory);

/// A later segment says that the one in this slot comes before it, and no readable file is that.
bool is_missed(const std::vector<segment_info>& segments, std::uint32_t slot);

/// The file is the segment it was when its header was read; its name may stand for another by now.
bool segment_is_there(const read_file& file, const segment_header& header);

/// Positions [from, to) of a segment, by way of its file, which must outlive the walker.
record_walker walk_of(const read_file& file, const segment_header& header, std::uint64_t from,
                      std::uint64_t to);

}  // namespace holdfast
