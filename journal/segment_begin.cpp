#include "journal/segment_begin.hpp"

namespace holdfast {

segment& begin_segment(core& shared, const spare& file, const segment* previous,
                       bool previous_durable) {
  segment made;
  segment_header& header = made.header;
  header.journal_id = shared.id;
  header.epoch = shared.epoch;
  header.base = shared.segments.next_base();
  header.size = file.size;
  header.slot = file.slot;
  header.oversize = file.size != shared.options.segment_bytes;
  header.reused = file.reused;
  header.boot_id = shared.options.boot_id;
  if (previous) {
    header.previous_slot = previous->header.slot;
    header.previous_base = previous->base();
    header.previous_end = previous->end;
  }
  header.previous_durable = previous_durable;
  header.time_ns = shared.now.real_ns;
  made.key = segment_key(shared.id, shared.epoch);
  made.file = file.file;
  made.second_header = false;
  made.end = made.first_record();
  shared.active = &shared.segments.add(std::move(made));
  return *shared.active;
}

}  // namespace holdfast
