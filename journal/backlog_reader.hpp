// backlog_reader: reads blocks of a stream back from segments: finds the segment by the index, the
// place by a place_search, and hands out views of verified records.
//
// Contract: one thread. Asks and never waits; a read that is pending is asked again in every turn,
// and gets on in each in which something was loaded, however many read.
#pragma once

#include "journal/place_search.hpp"
#include "journal/segment_reader.hpp"

namespace holdfast {

class backlog_reader {
 public:
  backlog_reader(core& shared, loaded_windows& windows)
      : core_(shared), records_(windows), places_(shared, records_) {}

  /// Adds blocks that begin at or contain `from`, up to the last message of the index row, stopping
  /// before `until` (the first sequence that memory has).
  struct request {
    stream_id stream = no_stream;
    std::uint64_t from = 0;
    std::uint64_t until = 0;
    read_limits limits;
  };
  fetched read(const request& what, std::vector<block>& out);

 private:
  fetched read_row(const request& what, stream_rows& of, const index_row& row, place_search& search,
                   std::vector<block>& out);

  core& core_;
  segment_reader records_;
  place_finder places_;
};

}  // namespace holdfast
