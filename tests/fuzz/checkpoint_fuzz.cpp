// Arbitrary bytes as a checkpoint file. The first byte: 1 makes the header's magic and sum right, 2
// those of the chunks.
#include "base/checksum.hpp"
#include "journal/checkpoint_file.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/seals.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  using namespace holdfast::testing;
  if (size < 2) return 0;
  fuzz_input in(data, size);
  const auto how = in.take<std::uint8_t>();
  std::vector<std::byte> file(in.rest().begin(), in.rest().end());
  if ((how & 1) != 0) seal_checkpoint(file, (how & 2) != 0);
  const result<checkpoint_content> parsed = parse_checkpoint(file, "checkpoint.000001");
  if (!parsed) {
    must(!parsed.text().empty());
    return 0;
  }
  must(parsed->size <= align_up(file.size(), record_unit));
  must(parsed->pattern_rows.size() + parsed->streams.size() * 24 <= file.size());
  return 0;
}
