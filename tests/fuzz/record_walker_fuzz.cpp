// Arbitrary bytes as the records of a segment. The first byte: 1 makes the sums of headers right, 2
// those of bodies, 4 makes some sectors unreadable, so that what lies behind the sums is reached.
#include "base/checksum.hpp"
#include "journal/record_walker.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/seals.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t base = 7 << 20;
constexpr std::uint64_t key = 99;

void walk(const std::vector<std::byte>& file, bool unreadable) {
  const auto read = [&](std::uint64_t at, std::span<std::byte> into) -> status {
    must(into.size() <= file.size() && at <= file.size() - into.size());
    for (std::uint64_t s = at / 512; unreadable && s <= (at + into.size()) / 512; ++s)
      if (s % 7 == 3) return {errc::io, "bad sector"};
    std::copy_n(file.data() + at, into.size(), into.data());
    return {};
  };
  record_walker walker(read, base, key, base, base + file.size());
  std::uint64_t last = base;
  while (walker.position() < base + file.size()) {
    const walked found = walker.next();
    if (found.what == verdict::good) {
      must(checksum(found.body) == found.header.head.body_sum);
      must(found.position + found.size <= base + file.size());
      (void)walker.buffered();
    }
    if (found.what == verdict::end) break;
    if (found.what == verdict::bad_header && !walker.resync()) break;
    // Whatever comes, it moves on; resync() stops before a good record, which next() takes.
    must(walker.position() >= last);
    if (found.what != verdict::bad_header) must(walker.position() > last);
    last = walker.position();
  }
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  if (size < 2) return 0;
  fuzz_input in(data, size);
  const auto how = in.take<std::uint8_t>();
  std::vector<std::byte> file(in.rest().begin(), in.rest().end());
  if ((how & 1) != 0) seal_records(file, key, base, (how & 2) != 0);
  walk(file, (how & 4) != 0);
  return 0;
}
