// Arbitrary text as the note of a backup. The first byte: 1 makes its first line and its sum right.
// What was understood is understood the same when it is written again.
#include "base/checksum.hpp"
#include "journal/backup_note.hpp"
#include "tests/fuzz/again.hpp"

namespace holdfast::testing {
namespace {

struct note_text {
  std::string text;
  bytes_view bytes() const { return as_bytes_view(text.data(), text.size()); }
};

std::string seal(std::string text) {
  text = "holdfast backup 1\n" + text;
  if (text.back() != '\n') text += '\n';
  const std::uint64_t sum = checksum(as_bytes_view(text.data(), text.size()));
  return text + "sum " + std::to_string(sum) + "\n";
}

result<backup_note> parse(bytes_view bytes) {
  return parse_backup_note({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "BACKUP");
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const bool sealed = (in.take<std::uint8_t>() & 1) != 0;
  const std::string text = sealed ? seal(in.rest_text()) : in.rest_text();
  const auto write = [](const holdfast::backup_note& n) { return note_text{write_backup_note(n)}; };
  if (same_again(holdfast::as_bytes_view(text.data(), text.size()), parse, write))
    must(parse(note_text{text}.bytes())->totals.damaged.size() <= text.size() / 10);
  return 0;
}
