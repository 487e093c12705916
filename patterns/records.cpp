#include "patterns/records.hpp"

#include "patterns/record_body.hpp"

namespace holdfast {

append_item encode_record(stream_id stream, instant at, finish how, std::span<const range> ranges) {
  body_writer w;
  w.u8(static_cast<std::uint8_t>(how));
  w.ranges(ranges);
  return w.item(record_type::group_ack, at, stream);
}

append_item encode_record(stream_id stream, instant at, const group_fail_record& r) {
  body_writer w;
  w.u8(static_cast<std::uint8_t>(r.why));
  w.u16(r.failed);
  w.u64(r.due_real_ns);
  w.text(r.reason);
  w.ranges(r.ranges);
  return w.item(record_type::group_fail, at, stream);
}

append_item encode_record(stream_id stream, instant at, const group_dead_record& r) {
  body_writer w;
  w.u8(static_cast<std::uint8_t>(r.why));
  w.u16(r.failed);
  w.text(r.reason);
  w.ranges(r.ranges);
  return w.item(record_type::group_dead, at, stream);
}

append_item encode_record(stream_id stream, instant at, const group_handout_record& r) {
  body_writer w;
  w.u64(r.through);
  return w.item(record_type::group_handout, at, stream);
}

append_item encode_record(instant at, const stream_def& r) {
  body_writer w;
  w.u32(r.stream);
  w.u32(r.epoch);
  w.text(r.channel);
  w.text(r.address);
  return w.item(record_type::stream_def, at, r.stream);
}

append_item encode_record(instant at, const producer_def& r) {
  body_writer w;
  w.u32(r.number);
  w.u32(r.epoch);
  w.u8(r.named ? 1 : 0);
  w.raw(r.nonce);
  w.text(r.id);
  append_item made = w.item(record_type::producer_def, at);
  made.head.producer = r.number;
  return made;
}

append_item encode_record(instant at, const channel_def& r) {
  body_writer w;
  w.text(r.name);
  w.text(r.pattern);
  return w.item(record_type::channel_def, at);
}

append_item encode_producer_gone(instant at, std::uint32_t number) {
  body_writer w;
  append_item made = w.item(record_type::producer_gone, at);
  made.head.producer = number;
  return made;
}

std::optional<group_ack_record> decode_group_ack(bytes_view body) {
  body_reader r(body);
  group_ack_record made;
  made.how = static_cast<finish>(r.get<std::uint8_t>());
  made.ranges = r.ranges();
  return checked(r, std::move(made));
}

std::optional<group_fail_record> decode_group_fail(bytes_view body) {
  body_reader r(body);
  group_fail_record made;
  made.why = static_cast<failure>(r.get<std::uint8_t>());
  made.failed = r.get<std::uint16_t>();
  made.due_real_ns = r.get<std::uint64_t>();
  made.reason = r.text();
  made.ranges = r.ranges();
  return checked(r, std::move(made));
}

std::optional<group_dead_record> decode_group_dead(bytes_view body) {
  body_reader r(body);
  group_dead_record made;
  made.why = static_cast<failure>(r.get<std::uint8_t>());
  made.failed = r.get<std::uint16_t>();
  made.reason = r.text();
  made.ranges = r.ranges();
  return checked(r, std::move(made));
}

std::optional<group_handout_record> decode_group_handout(bytes_view body) {
  body_reader r(body);
  group_handout_record made{r.get<std::uint64_t>()};
  return checked(r, std::move(made));
}

std::optional<stream_def> decode_stream_def(bytes_view body) {
  body_reader r(body);
  stream_def made;
  made.stream = r.get<std::uint32_t>();
  made.epoch = r.get<std::uint32_t>();
  made.channel = r.text();
  made.address = r.text();
  return checked(r, std::move(made));
}

std::optional<producer_def> decode_producer_def(bytes_view body) {
  body_reader r(body);
  producer_def made;
  made.number = r.get<std::uint32_t>();
  made.epoch = r.get<std::uint32_t>();
  made.named = r.get<std::uint8_t>() != 0;
  if (const bytes_view nonce = r.take(16); nonce.size() == 16)
    std::memcpy(made.nonce.data(), nonce.data(), 16);
  made.id = r.text();
  return checked(r, std::move(made));
}

std::optional<channel_def> decode_channel_def(bytes_view body) {
  body_reader r(body);
  channel_def made;
  made.name = r.text();
  made.pattern = r.text();
  return checked(r, std::move(made));
}

}  // namespace holdfast
