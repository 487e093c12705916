// Arbitrary bytes as an HFP/1 frame of each type, as a control map, and as the body of a block.
#include "patterns/block.hpp"
#include "patterns/control_map.hpp"
#include "patterns/frame_codec.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace holdfast;

template <class R>
void told(const R& decoded) {
  if (!decoded) holdfast::testing::must(!decoded.text().empty());
}

void every_frame(bytes_view head) {
  (void)decode_prefix(head);
  (void)decode_refuse_version(head);
  told(decode_publish(head));
  told(decode_accept(head));
  told(decode_resync(head));
  told(decode_resume(head));
  told(decode_probe(head));
  told(decode_credit(head));
  told(decode_deliver(head));
  told(decode_acked(head));
  told(decode_hello(head));
  told(decode_welcome(head));
  told(decode_attach(head));
  told(decode_attached(head));
  told(decode_attach_refused(head));
  told(decode_refuse(head));
  told(decode_ack(head));
  told(decode_nack(head));
  told(decode_touch(head));
  told(decode_gap(head));
  told(decode_reply_frame(head));
  told(decode_replied(head));
  told(decode_described(head));
}

void map(bytes_view head) {
  control_reader reader(head);
  std::uint64_t number = 0;
  reader.number("n", number, 1, 1000);
  (void)reader.ok();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::testing::fuzz_input in(data, size);
  every_frame(in.rest());
  map(in.rest());
  const auto count = in.take<std::uint16_t>();
  const auto mask = in.take<std::uint8_t>();
  const body_verdict checked = walk(in.rest(), count, mask, 1 << 20);
  if (checked.ok && count > 1)
    holdfast::testing::must(cut_entries(in.rest(), 1, count, 100).at <= in.rest().size());
  return 0;
}
