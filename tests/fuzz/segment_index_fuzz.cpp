// Arbitrary bytes as an index file, and an index made of arbitrary records. The first byte: 1 makes
// the sums right, 2 scans records in place of reading an index, 4 makes the sums of their bodies
// right too.
#include "base/checksum.hpp"
#include "journal/segment_index.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/seals.hpp"

namespace holdfast::testing {
namespace {

segment_header some_segment() {
  segment_header h;
  h.slot = 3;
  h.epoch = 5;
  h.base = 7 << 20;
  h.size = 1 << 20;
  return h;
}
const segment_header segment = some_segment();
const std::uint64_t key = segment_key(segment.journal_id, segment.epoch);
constexpr std::uint64_t read_end = (7 << 20) + (64 << 10);  // of the segment whose index is read

void seal_index(std::vector<std::byte>& file) {
  if (file.size() < index_header_bytes) return;
  store(file.data(), index_magic);
  store(&file[8], index_version);
  store(&file[12], segment.slot);
  std::memcpy(&file[16], segment.journal_id.data(), segment.journal_id.size());
  store(&file[32], segment.epoch);
  store(&file[40], segment.base);
  store(&file[48], read_end);
  const std::uint64_t payload = load<std::uint32_t>(&file[56]) * std::uint64_t{index_step_bytes} +
                                load<std::uint32_t>(&file[60]) * std::uint64_t{index_row_bytes} +
                                load<std::uint32_t>(&file[64]) * std::uint64_t{4};
  if (payload <= file.size() - index_header_bytes)
    store(&file[112], checksum({&file[0] + index_header_bytes, payload}, key + segment.base));
  store(&file[120], checksum(std::span(file).first(120)));
}

// Whatever a row says, following it stays inside.
std::uint64_t look_at(const segment_index_view& index) {
  std::uint64_t postings = 0;
  for (std::uint32_t i = 0; i < index.runs(); ++i) {
    const segment_run run = index.run(i);
    must(run.span != 0 && run.position >= segment.base && run.postings <= run.postings_end);
    for (std::uint32_t p = run.postings; p < run.postings_end; ++p, ++postings)
      must(index.posting(p) >= segment.base);
    must(index.first_of(run.stream) <= index.runs());
  }
  for (std::uint32_t i = 0; i < index.steps(); ++i) must(index.step(i).position >= segment.base);
  must(index.position_at(index.latest_ns()) >= segment.base);
  return postings;
}

void read(std::vector<std::byte> file, bool sealed) {
  if (sealed) seal_index(file);
  const auto index = segment_index_view::of(file, segment, read_end);
  if (index) must(look_at(*index) * 4 <= file.size());
}

buffer_ref scan(const std::vector<std::byte>& records, std::size_t at_once) {
  const std::uint64_t begin = segment.base + records_at;
  segment_scan made(segment, begin + records.size());
  while (!made.done()) {
    const std::uint64_t from = made.position() - begin;
    const std::uint64_t left = records.size() - from;
    const std::uint64_t most = std::max<std::uint64_t>(at_once, record_header_bytes);
    made.take({records.data() + from, std::min(left, most)});
    must(made.done() || made.position() > begin + from);
  }
  return made.encode();
}

// It does not matter in what parts it was scanned.
void make(fuzz_input in, bool sealed, bool bodies) {
  const std::size_t at_once = in.take<std::uint16_t>();
  std::vector<std::byte> records(in.rest().begin(), in.rest().end());
  if (sealed) seal_records(records, key, segment.base + records_at, bodies);
  const buffer_ref in_one = scan(records, records.size()), in_parts = scan(records, at_once);
  must(std::equal(in_one.bytes().begin(), in_one.bytes().end(), in_parts.bytes().begin(),
                  in_parts.bytes().end()));
  const std::uint64_t end = segment.base + records_at + records.size();
  const auto index = segment_index_view::of(in_one.bytes(), segment, end);
  must(index.has_value());
  must(look_at(*index) <= records.size() / record_header_bytes);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const auto how = in.take<std::uint8_t>();
  if ((how & 2) != 0)
    make(in, (how & 1) != 0, (how & 4) != 0);
  else
    read({in.rest().begin(), in.rest().end()}, (how & 1) != 0);
  return 0;
}
