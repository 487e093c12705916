// Arbitrary bytes as an HFP/1 frame of each type, as a control map, and as the body of a block.
// What was understood says the same when it is encoded and decoded again.
#include "patterns/block.hpp"
#include "patterns/control_map.hpp"
#include "patterns/frame_codec.hpp"
#include "tests/fuzz/again.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint32_t session = 7;

template <class Decode>
void fixed(bytes_view head, Decode decode) {
  same_again(head, decode, [](const auto& f) {
    small_head made;
    encode(made, session, f);
    return made;
  });
}

template <class Decode>
void map(bytes_view head, Decode decode) {
  same_again(head, decode, [](const auto& f) { return encode(session, f); });
}

void every_frame(bytes_view head) {
  (void)decode_prefix(head);
  (void)decode_refuse_version(head);
  fixed(head, decode_publish);
  fixed(head, decode_accept);
  fixed(head, decode_resync);
  fixed(head, decode_resume);
  fixed(head, decode_probe);
  fixed(head, decode_credit);
  fixed(head, decode_deliver);
  fixed(head, decode_acked);
  fixed(head, decode_reply_frame);
  fixed(head, decode_replied);
  map(head, decode_hello);
  map(head, decode_welcome);
  map(head, decode_attach);
  map(head, decode_attached);
  map(head, decode_attach_refused);
  map(head, decode_refuse);
  map(head, decode_ack);
  map(head, decode_nack);
  map(head, decode_touch);
  map(head, decode_gap);
  same_again(head, decode_described,
             [](std::string_view json) { return encode_described(session, json); });
}

void any_map(bytes_view head) {
  control_reader reader(head);
  std::uint64_t number = 0;
  reader.number("n", number, 1, 1000);
  must(!reader.ok() || number <= 1000);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  every_frame(in.rest());
  any_map(in.rest());
  const auto count = in.take<std::uint16_t>();
  const auto mask = in.take<std::uint8_t>();
  const holdfast::body_verdict checked = holdfast::walk(in.rest(), count, mask, 1 << 20);
  if (checked.ok && count > 1)
    must(holdfast::cut_entries(in.rest(), 1, count, 100).at <= in.rest().size());
  return 0;
}
