#include "journal/index_walk.hpp"

#include <algorithm>

#include "base/checksum.hpp"
#include "journal/segment_index.hpp"

namespace holdfast {

std::optional<std::vector<std::uint64_t>> wanted_records(const std::string& directory,
                                                         const segment_info& in,
                                                         const record_choice& wanted) {
  const read_file file(directory + "/" + index_name(in.header.slot));
  if (!file.is_open()) return {};
  std::vector<std::byte> bytes(file.size());
  if (!file.read(0, bytes)) return {};
  const auto index = segment_index_view::of(bytes, in.header, in.end);
  if (!index) return {};
  std::vector<std::uint64_t> found;
  const bool late = index->latest_ns() < wanted.from_ns;
  const std::uint64_t from = late ? in.end : index->position_at(wanted.from_ns);
  stream_id stream = no_stream;
  bool take = false;
  for (std::uint32_t i = 0; i < index->runs(); ++i) {
    const segment_run run = index->run(i);
    const bool definitions = run.stream == no_stream;
    if (i == 0 || run.stream != stream)
      take = definitions || !wanted.stream || wanted.stream(run.stream);
    stream = run.stream;
    if (!take) continue;
    for (std::uint32_t p = run.postings; p < run.postings_end; ++p)
      if (const std::uint64_t position = index->posting(p); position >= from || definitions)
        found.push_back(position);
  }
  std::sort(found.begin(), found.end());
  return found;
}

seen_record read_record(const read_file& file, const segment_header& header, std::uint64_t position,
                        std::vector<std::byte>& into) {
  walked found;
  found.what = verdict::bad_header;
  found.position = position;
  found.size = record_header_bytes;
  into.resize(record_header_bytes);
  const std::uint64_t at = position - header.base;
  const std::uint64_t key = segment_key(header.journal_id, header.epoch);
  if (file.read(at, into)) {
    const auto decoded = decode_record_header(into, key, position);
    if (decoded && at + record_size(decoded->body_len) <= header.size) {
      found.header = *decoded;
      found.size = record_size(decoded->body_len);
      into.resize(record_header_bytes + decoded->body_len);
      const std::span<std::byte> body = std::span(into).subspan(record_header_bytes);
      const bool good =
          file.read(at + record_header_bytes, body) && checksum(body) == decoded->head.body_sum;
      found.what = good ? verdict::good : verdict::bad_body;
      if (good) found.body = body;
    }
  }
  return seen_of(found, header.slot);
}

}  // namespace holdfast
