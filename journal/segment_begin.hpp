// segment_begin: the next segment of the log, in a file that was taken for it.
//
// Contract: plain bookkeeping, no I/O: the caller writes the header's first copy; the second
// follows once that is durable (docs/adr/0007).
#pragma once

#include "journal/core.hpp"
#include "journal/spare_pool.hpp"

namespace holdfast {

/// Goes on behind `previous`, if there is one; `previous_durable`: its end was synced. The active
/// segment from here on.
segment& begin_segment(core& shared, const spare& file, const segment* previous,
                       bool previous_durable);

}  // namespace holdfast
