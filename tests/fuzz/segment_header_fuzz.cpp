// Arbitrary bytes as a segment's header and as a record's. The first byte: 1 makes the sums right.
#include "base/checksum.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/seals.hpp"

namespace holdfast::testing {
namespace {

// A base and a size that no file of a journal has.
bool out_of_bounds(bytes_view header) {
  const auto base = load<std::uint64_t>(header.data() + 40);
  const auto size = load<std::uint64_t>(header.data() + 48);
  return size > file_bytes_max || size % file_unit != 0 || base % file_unit != 0;
}

// What was understood is written as it was read.
void segment(std::vector<std::byte>& bytes, bool sealed) {
  if (sealed) seal_segment_header(bytes);
  const auto header = decode_segment_header(bytes);
  if (sealed && bytes.size() >= segment_header_bytes)
    must(header.has_value() != out_of_bounds(bytes));
  if (!header) return;
  must(decode_segment_header(encode_segment_header(*header)) == header);
  (void)segment_key(header->journal_id, header->epoch);
}

void record(std::vector<std::byte>& bytes, bool sealed) {
  constexpr std::uint64_t key = 5, position = 8192;
  if (bytes.size() < record_header_bytes) return;
  if (sealed)
    store(bytes.data(),
          checksum32(std::span(bytes).subspan(4, record_header_bytes - 4), key + position));
  const auto header = decode_record_header(bytes, key, position);
  if (!header) return;
  std::array<std::byte, record_header_bytes> again;
  encode_record_header(*header, key, position, again);
  must(std::equal(again.begin(), again.end(), bytes.begin()));
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const bool sealed = (in.take<std::uint8_t>() & 1) != 0;
  std::vector<std::byte> bytes(in.rest().begin(), in.rest().end());
  segment(bytes, sealed);
  record(bytes, sealed);
  return 0;
}
