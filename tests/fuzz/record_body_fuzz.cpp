// Arbitrary bytes as the body of each control record, as rows of a checkpoint, as an envelope and
// as the heads of requests and replies. The first byte says which.
#include "patterns/envelope.hpp"
#include "patterns/pubsub/records.hpp"
#include "patterns/records.hpp"
#include "patterns/reqrep/head.hpp"
#include "patterns/state.hpp"
#include "tests/fuzz/again.hpp"

namespace holdfast::testing {
namespace {

struct encoded {
  append_item item;
  bytes_view bytes() const { return item.body.bytes(); }
};

template <class Decode>
bool of_stream(bytes_view body, Decode decode) {
  return same_bytes(body, decode, [](const auto& r) { return encoded{encode_record(1, {}, r)}; });
}

template <class Decode>
bool of_device(bytes_view body, Decode decode) {
  return same_bytes(body, decode, [](const auto& r) { return encoded{encode_record({}, r)}; });
}

void every_record(bytes_view body) {
  const bool acks = same_bytes(body, decode_group_ack, [](const group_ack_record& r) {
    return encoded{encode_record(1, {}, r.how, r.ranges)};
  });
  if (acks) must(decode_group_ack(body)->ranges.size() <= body.size() / 16);
  of_stream(body, decode_group_fail);
  of_stream(body, decode_group_dead);
  of_stream(body, decode_group_handout);
  of_stream(body, decode_subscription_def);
  of_stream(body, decode_subscription_ack);
  of_device(body, decode_stream_def);
  same_again(body, decode_producer_def,  // any number but 0 is a yes
             [](const producer_def& r) { return encoded{encode_record({}, r)}; });
  of_device(body, decode_channel_def);
  same_bytes(body, decode_subscription_gone,
             [](std::uint32_t number) { return encoded{encode_subscription_gone(1, {}, number)}; });
  same_bytes(body, decode_trim, [](std::uint64_t to) { return encoded{encode_trim(1, {}, to)}; });
}

// Rows written as they were read are the bytes they were read from.
void rows(bytes_view bytes) {
  state_reader in(bytes);
  state_writer out;
  while (in.next()) {
    out.set_as_of(in.as_of());
    out.begin(in.kind());
    out.raw(in.raw(in.left()));
    out.end();
  }
  must(out.size() <= bytes.size() &&
       std::equal(out.bytes().begin(), out.bytes().end(), bytes.begin()));
  in.rewind();
  while (in.next()) {
    const std::size_t left = in.left();
    must(in.text().size() <= left && in.left() <= left);
    (void)in.u64();
  }
}

void envelope(bytes_view bytes) {
  std::vector<bytes_view> parts;
  const bool whole = for_each_envelope_part(bytes, [&](bytes_view p) { parts.push_back(p); });
  must(!envelope_holds(bytes) || whole);
  if (!whole) return;
  const buffer_ref again = make_envelope(parts);
  must(std::equal(bytes.begin(), bytes.end(), again.data(), again.data() + again.size()));
}

struct written_head {
  std::array<std::byte, head_bytes_max> room{};
  std::size_t size = 0;
  bytes_view bytes() const { return {room.data(), size}; }
};

void heads(bytes_view bytes) {
  const auto write = [](const auto& head) {
    written_head made;
    made.size = encode(made.room, head);
    must(made.size <= head_bytes_max);
    return made;
  };
  if (same_again(bytes, decode_request_head, write))
    must(envelope_holds(decode_request_head(bytes)->envelope));
  if (same_again(bytes, decode_reply_head, write))
    must(decode_reply_head(bytes)->worker.size() <= worker_name_bytes_max);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  switch (in.take<std::uint8_t>() % 4) {
    case 0: every_record(in.rest()); break;
    case 1: rows(in.rest()); break;
    case 2: envelope(in.rest()); break;
    default: heads(in.rest()); break;
  }
  return 0;
}
