// Messages packed into blocks come out as they went in; arbitrary bytes that pass as a body are the
// only bytes that say what they say, and are cut where they say.
#include "patterns/block.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t message_max = 1 << 20;

bool same(bytes_view a, bytes_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void must_hold(const entry& e, const std::vector<bytes_view>& message) {
  must(e.sum_holds() && !e.voided() && e.parts() == message.size());
  std::size_t at = 0;
  for_each_part(e, [&](bytes_view part) { must(same(part, message[at++])); });
  must(at == message.size() && same(e.part(at - 1), message.back()));
}

void packed(fuzz_input in) {
  std::vector<std::vector<bytes_view>> messages;
  block_packer packer;
  std::uint32_t voids = 0;
  while (!in.empty() && messages.size() < 64) {
    messages.push_back(in.take_pieces(5));
    std::uint64_t bytes = 0;
    for (const bytes_view part : messages.back()) bytes += part.size();
    must(packer.fits(bytes, messages.back().size()));
    const auto time = in.take<std::uint32_t>();
    if (time % 5 == 0) {
      packer.add_void(time, "no more");
      messages.back().clear();
      ++voids;
    } else {
      packer.add(messages.back(), time * 1000ull);
    }
  }
  if (packer.empty()) return;
  const sealed_block made = packer.seal();
  const body_verdict checked = walk(made.body.bytes(), made.count, made.props_mask, message_max);
  must(checked.ok && checked.voids == voids && made.count == messages.size());
  entry_walker walker(made.body.bytes());
  entry e;
  for (const auto& message : messages) {
    must(walker.next(e) && e.voided() == message.empty());
    if (!message.empty()) must_hold(e, message);
  }
  must(!walker.next(e) && walker.ok());
}

// Each entry copied on its own gives the same bytes: nothing hides between or behind them.
void canonical(bytes_view body, std::uint16_t count) {
  block_packer packer;
  entry_walker walker(body);
  for (entry e; walker.next(e);) packer.add_entry(e.whole);
  must(packer.count() == count && same(packer.seal().body.bytes(), body));
}

void cut_anywhere(bytes_view body, std::uint16_t count, std::uint64_t most) {
  std::uint32_t skip = 0;
  std::size_t at = 0;
  while (skip < count) {
    const entry_run run = cut_entries(body, skip, count - skip, most);
    must(run.count > 0 && run.at == at && (run.count == 1 || run.size <= most));
    const auto part = static_cast<std::uint16_t>(run.count);
    must(walk(body.subspan(run.at, run.size), part, 0xff, message_max).ok);
    skip += run.count;
    at += run.size;
  }
  must(at == body.size() && cut_body(body, 0, count).size() == at);
}

void arbitrary(fuzz_input in) {
  const auto count = in.take<std::uint16_t>();
  const auto mask = in.take<std::uint8_t>();
  const bytes_view body = in.rest();
  const body_verdict checked = walk(body, count, mask, message_max);
  must(checked.ok ? checked.bad_entry == 0 && checked.voids <= count
                  : count == 0 || checked.bad_entry < count);
  if (!checked.ok) return;
  canonical(body, count);
  cut_anywhere(body, count, 100);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const bool packs = (in.take<std::uint8_t>() & 1) != 0;
  packs ? packed(in) : arbitrary(in);
  return 0;
}
