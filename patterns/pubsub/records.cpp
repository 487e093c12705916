#include "patterns/pubsub/records.hpp"

#include "patterns/record_body.hpp"

namespace holdfast {

append_item encode_record(stream_id stream, instant at, const subscription_def_record& r) {
  body_writer w;
  w.u32(r.number);
  w.u64(r.born);
  w.u64(r.since_ns);
  w.text(r.name);
  w.u32(static_cast<std::uint32_t>(r.prefixes.size()));
  for (const std::string& prefix : r.prefixes) w.text(prefix);
  return w.item(record_type::subscription_def, at, stream);
}

append_item encode_record(stream_id stream, instant at, const subscription_ack_record& r) {
  body_writer w;
  w.u32(r.number);
  w.u64(r.floor);
  w.u64(r.since_ns);
  for (const std::uint64_t figure : {r.acked, r.settled, r.passed, r.dropped}) w.u64(figure);
  return w.item(record_type::subscription_ack, at, stream);
}

append_item encode_subscription_gone(stream_id stream, instant at, std::uint32_t number) {
  body_writer w;
  w.u32(number);
  return w.item(record_type::subscription_gone, at, stream);
}

append_item encode_trim(stream_id stream, instant at, std::uint64_t to) {
  body_writer w;
  w.u64(to);
  return w.item(record_type::trim, at, stream);
}

std::optional<subscription_def_record> decode_subscription_def(bytes_view body) {
  body_reader r(body);
  subscription_def_record made;
  made.number = r.get<std::uint32_t>();
  made.born = r.get<std::uint64_t>();
  made.since_ns = r.get<std::uint64_t>();
  made.name = r.text();
  const auto prefixes = r.get<std::uint32_t>();
  for (std::uint32_t i = 0; r.ok() && i < prefixes; ++i) made.prefixes.push_back(r.text());
  return checked(r, std::move(made));
}

std::optional<subscription_ack_record> decode_subscription_ack(bytes_view body) {
  body_reader r(body);
  subscription_ack_record made;
  made.number = r.get<std::uint32_t>();
  for (std::uint64_t* figure :
       {&made.floor, &made.since_ns, &made.acked, &made.settled, &made.passed, &made.dropped})
    *figure = r.get<std::uint64_t>();
  return checked(r, std::move(made));
}

std::optional<std::uint32_t> decode_subscription_gone(bytes_view body) {
  body_reader r(body);
  return checked(r, r.get<std::uint32_t>());
}

std::optional<std::uint64_t> decode_trim(bytes_view body) {
  body_reader r(body);
  return checked(r, r.get<std::uint64_t>());
}

}  // namespace holdfast
