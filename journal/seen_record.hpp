// seen_record: what those who look at a journal without opening it meet on their way: good records,
// and what is wrong where there is none.
//
// Contract: plain data; views are valid until the walk goes on.
#pragma once

#include <algorithm>

#include "journal/options.hpp"
#include "journal/record_walker.hpp"

namespace holdfast {

/// One step of a walk over all records, in order.
struct seen_record {
  verdict what = verdict::good;  ///< good, bad_body, bad_header
  record_view record;            ///< good, bad_body (then without a body)
  std::uint64_t size = 0;        ///< bytes it takes; of the bad stretch for bad_header
  std::uint64_t watermark = 0;   ///< by this record: everything below is durable
  std::uint32_t slot = 0;
};

inline seen_record seen_of(const walked& found, std::uint32_t slot) noexcept {
  seen_record seen;
  seen.what = found.what;
  seen.slot = slot;
  seen.record = {found.header.head, found.body, found.position};
  seen.size = found.size;
  if (found.what == verdict::good || found.what == verdict::bad_body)
    seen.watermark = found.position - std::min(found.position, found.header.durable_delta);
  return seen;
}

/// What is known of a record that is not good.
inline damage damage_of(const seen_record& seen) noexcept {
  damage row{damage_kind::header, seen.record.position, seen.size, no_stream, {}};
  if (seen.what != verdict::bad_body) return row;
  const record_head& head = seen.record.head;
  row.what = damage_kind::body;
  row.stream = head.stream;
  row.messages = {head.first_sequence, head.count};
  return row;
}

}  // namespace holdfast
