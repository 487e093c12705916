// Simple form: the hot frames as MessagePack maps with one-letter keys. docs/wire_protocol.md,
// "Simple form".
#include "patterns/control_map.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

template <class F>
result<F> finish(const control_reader& in, F&& f, const char* frame) {
  if (in.ok()) return std::forward<F>(f);
  return {errc::bad_frame, std::string(frame) + ": " + std::string(in.failed_field())};
}

buffer_ref encode_number(frame_type type, std::uint32_t session, stream_id stream,
                         std::uint64_t number) {
  return control_writer(type, session).number("s", stream).number("n", number).finish();
}

}  // namespace

buffer_ref encode(std::uint32_t session, const publish_simple& f) {
  return encode_number(frame_type::publish_simple, session, f.stream, f.number);
}

result<publish_simple> decode_publish_simple(bytes_view head) {
  control_reader in(head);
  publish_simple f;
  in.need_number("s", f.stream);
  in.need_number("n", f.number, 1, ~std::uint64_t{0} - 1);
  return finish(in, std::move(f), "publish_simple");
}

buffer_ref encode(std::uint32_t session, const deliver_simple& f) {
  return control_writer(frame_type::deliver_simple, session)
      .number("s", f.stream)
      .number("q", f.sequence)
      .number("a", f.attempt)
      .number("r", f.redelivered)
      .finish();
}

result<deliver_simple> decode_deliver_simple(bytes_view head) {
  control_reader in(head);
  deliver_simple f;
  in.need_number("s", f.stream);
  in.need_number("q", f.sequence, 1);
  in.number("a", f.attempt);
  in.number("r", f.redelivered, 0, 2);
  return finish(in, std::move(f), "deliver_simple");
}

buffer_ref encode_simple(std::uint32_t session, const accept& f) {
  return control_writer(frame_type::accept, session)
      .number("s", f.stream)
      .number("n", f.through)
      .number("l", static_cast<std::uint8_t>(f.reached))
      .finish();
}

result<accept> decode_accept_simple(bytes_view head) {
  control_reader in(head);
  accept f;
  in.need_number("s", f.stream);
  in.need_number("n", f.through);
  in.one_of("l", f.reached, 1, 3);
  return finish(in, std::move(f), "accept");
}

buffer_ref encode_simple(std::uint32_t session, const resync& f) {
  return encode_number(frame_type::resync, session, f.stream, f.expected);
}

result<resync> decode_resync_simple(bytes_view head) {
  control_reader in(head);
  resync f;
  in.need_number("s", f.stream);
  in.need_number("n", f.expected, 1);
  return finish(in, std::move(f), "resync");
}

buffer_ref encode_simple(std::uint32_t session, const resume& f) {
  return encode_number(frame_type::resume, session, f.stream, f.expected);
}

result<resume> decode_resume_simple(bytes_view head) {
  control_reader in(head);
  resume f;
  in.need_number("s", f.stream);
  in.need_number("n", f.expected, 1);
  return finish(in, std::move(f), "resume");
}

buffer_ref encode_simple(std::uint32_t session, const acked& f) {
  return encode_number(frame_type::acked, session, f.stream, f.through);
}

result<acked> decode_acked_simple(bytes_view head) {
  control_reader in(head);
  acked f;
  in.need_number("s", f.stream);
  in.need_number("n", f.through);
  return finish(in, std::move(f), "acked");
}

buffer_ref encode_simple(std::uint32_t session, const ack& f) {
  return control_writer(frame_type::ack_simple, session)
      .number("s", f.stream)
      .number("n", f.number)
      .ranges("r", f.ranges)
      .finish();
}

result<ack> decode_ack_simple(bytes_view head) {
  control_reader in(head);
  ack f;
  in.need_number("s", f.stream);
  in.need_number("n", f.number, 1);
  in.ranges("r", f.ranges, ranges_max);
  return finish(in, std::move(f), "ack_simple");
}

buffer_ref encode_simple(std::uint32_t session, const credit& f) {
  return control_writer(frame_type::credit, session)
      .number("s", f.stream)
      .number("m", f.messages_total)
      .number("b", f.bytes_total)
      .finish();
}

result<credit> decode_credit_simple(bytes_view head) {
  control_reader in(head);
  credit f;
  in.need_number("s", f.stream);
  in.need_number("m", f.messages_total);
  in.need_number("b", f.bytes_total);
  return finish(in, std::move(f), "credit");
}

buffer_ref encode_simple(std::uint32_t session, const probe& f) {
  return control_writer(frame_type::probe, session).number("s", f.stream).finish();
}

result<probe> decode_probe_simple(bytes_view head) {
  control_reader in(head);
  probe f;
  in.need_number("s", f.stream);
  return finish(in, std::move(f), "probe");
}

}  // namespace holdfast
