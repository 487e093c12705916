// Arbitrary bytes as each frame of HFP/1's simple form. What was understood says the same when it
// is encoded and decoded again, and keeps within the limits of the protocol.
#include "patterns/control_map.hpp"
#include "patterns/frame_codec.hpp"
#include "tests/fuzz/again.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint32_t session = 7;

template <class Decode>
bool simple(bytes_view head, Decode decode) {
  return same_again(head, decode, [](const auto& f) { return encode_simple(session, f); });
}

template <class Decode>
bool with_parts(bytes_view head, Decode decode) {
  return same_again(head, decode, [](const auto& f) { return encode(session, f); });
}

void every_frame(bytes_view head) {
  simple(head, decode_accept_simple);
  simple(head, decode_resync_simple);
  simple(head, decode_resume_simple);
  simple(head, decode_acked_simple);
  simple(head, decode_credit_simple);
  simple(head, decode_probe_simple);
  if (with_parts(head, decode_publish_simple)) must(decode_publish_simple(head)->number != 0);
  if (with_parts(head, decode_deliver_simple)) must(decode_deliver_simple(head)->redelivered <= 2);
  if (simple(head, decode_ack_simple)) {
    const ack f = *decode_ack_simple(head);
    must(f.ranges.size() <= ranges_max && 2 * f.ranges.size() <= head.size());
  }
  if (head.size() > control_head_bytes_max) must(!decode_probe_simple(head).ok());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  every_frame(fuzz_input(data, size).rest());
  return 0;
}
