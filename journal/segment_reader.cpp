#include "journal/segment_reader.hpp"

#include "base/checksum.hpp"
#include "journal/mapping.hpp"

namespace holdfast {

segment_reader::look segment_reader::look_at(const segment& in, std::uint64_t position,
                                             stream_id wanted, std::uint64_t from) {
  const map_guard guarded;
  look found;
  std::uint64_t size = record_header_bytes;
  if (position + size > end(in)) return {seen::corrupt_header, {}, {}};
  for (;;) {
    const loaded_windows::window* w = windows_.get(in, position, size);
    if (!w) return found;
    if (w->bad) return {seen::unreadable, {}, {}};
    const bytes_view bytes = w->bytes.bytes().subspan(position - w->from);
    const auto header = decode_record_header(bytes, in.key, position);
    if (!header || position + record_size(header->body_len) > end(in))
      return {seen::corrupt_header, {}, {}};
    found.header = *header;
    const record_head& head = header->head;
    if (head.stream != wanted || head.type != record_type::block ||
        head.first_sequence + head.count <= from) {
      found.what = seen::good;
      return found;
    }
    size = record_header_bytes + header->body_len;
    if (bytes.size() < size) continue;
    found.record = w->bytes.slice(position - w->from, size);
    const bool right =
        checksum(bytes.subspan(record_header_bytes, header->body_len)) == head.body_sum;
    found.what = right ? seen::good : seen::corrupt_body;
    return found;
  }
}

segment_reader::resynced segment_reader::resync(const segment& in, std::uint64_t position) {
  const map_guard guarded;
  for (std::uint64_t at = position; at + record_header_bytes <= end(in); at += record_unit) {
    const loaded_windows::window* w = windows_.get(in, at, record_header_bytes);
    if (!w) return {at, true};
    if (w->bad) {
      at = w->from + w->size - record_unit;  // nothing in it can be read
      continue;
    }
    if (decode_record_header(w->bytes.bytes().subspan(at - w->from), in.key, at)) return {at};
  }
  return {end(in)};
}

}  // namespace holdfast
