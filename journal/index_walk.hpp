// index_walk: goes through the records of a sealed segment that somebody asked for, by its index
// file, without the others. For tools that look at a journal without opening it.
//
// Contract: blocking; takes no lock, never writes. What has no index file that holds for it is for
// the caller to go through.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal/seen_record.hpp"
#include "journal/segment_list.hpp"

namespace holdfast {

/// Which records are wanted. Others may come as well.
struct record_choice {
  std::function<bool(stream_id)> stream;  ///< null: of all streams
  std::uint64_t from_ns = 0;              ///< of this time or later
  bool all() const noexcept { return !stream && from_ns == 0; }
};

/// Positions of the blocks that are wanted, and of all definitions, in order; empty optional: there
/// is no index file that holds for the segment.
std::optional<std::vector<std::uint64_t>> wanted_records(const std::string& directory,
                                                         const segment_info& in,
                                                         const record_choice& wanted);

/// The record at `position`, whose bytes go to `into`.
seen_record read_record(const read_file& file, const segment_header& header, std::uint64_t position,
                        std::vector<std::byte>& into);

}  // namespace holdfast
