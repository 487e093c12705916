// place_search: where in a segment the reading of a sequence begins. By the segment's marks first,
// then record by record; what has to be loaded is waited for, one window at a time, and what was
// found out until then is kept. So a search needs no more than one window at once, and ends however
// many search, in whatever turns they ask.
//
// Contract: one thread. Memory: 96 B a search under way, at most 256 of them; one more begins anew
// in every turn until there is room. A search that nobody asked about for some turns is given up.
#pragma once

#include <cstdint>
#include <vector>

#include "base/record.hpp"

namespace holdfast {

class segment_reader;
struct core;
struct index_row;
struct segment;
struct stream_rows;

/// A search under way, or ended: then nothing that is wanted lies before `at`.
struct place_search {
  stream_id stream = no_stream;
  std::uint64_t from = 0;         ///< sequence
  std::uint64_t segment = 0;      ///< base
  std::uint64_t at = 0;           ///< position
  bool whole = false;             ///< it began where the row begins
  std::size_t low = 0, high = 0;  ///< marks not yet judged
  std::uint64_t looked_at = 0;    ///< position that the look behind one of them got to; 0 = none
  int looked = 0;                 ///< at so many records
  std::uint64_t asked_in = 0;     ///< turn
};

class place_finder {
 public:
  place_finder(const core& shared, segment_reader& records) : core_(shared), records_(records) {}

  /// The search for `from`, which lies in `row`; new if there is none. Valid until the next call.
  place_search& search(const segment& in, const stream_rows& of, const index_row& row,
                       std::uint64_t from);
  /// False while it has to be waited for.
  bool find(place_search& what, const segment& in, const stream_rows& of, const index_row& row);
  /// The marks led to a wrong place: from the beginning of the row, which is right always.
  static void restart(place_search& what, const index_row& row) noexcept;
  void end(const place_search& what) noexcept;

 private:
  enum class sighting : std::uint8_t { before, unknown, pending };
  place_search& room();
  sighting judge(place_search& what, const segment& in, const stream_rows& of,
                 const index_row& row);

  const core& core_;
  segment_reader& records_;
  std::vector<place_search> searches_;
  place_search without_room_;
};

}  // namespace holdfast
