// The frames whose content is a MessagePack map. Keys: docs/wire_protocol.md, "Maps".
#include "patterns/control_map.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t levels_min = static_cast<std::uint64_t>(level::process);
constexpr std::uint64_t levels_max = static_cast<std::uint64_t>(level::disk);

std::string_view cut_text(const std::string& text) {
  return std::string_view(text).substr(0, reason_bytes_max);
}

template <class F>
result<F> finish(const control_reader& in, F&& f, const char* frame) {
  if (in.ok()) return std::forward<F>(f);
  return {errc::bad_frame, std::string(frame) + ": " + std::string(in.failed_field())};
}

}  // namespace

buffer_ref encode(std::uint32_t session, const hello& f) {
  return control_writer(frame_type::hello, session)
      .number("min", f.version_min)
      .number("max", f.version_max)
      .binary("id", as_bytes_view(f.producer_id.data(), f.producer_id.size()))
      .flag("named", f.named)
      .binary("nonce", f.nonce)
      .number("epoch", f.epoch)
      .number("heartbeat", f.heartbeat_ms)
      .flag("simple", f.simple)
      .finish();
}

result<hello> decode_hello(bytes_view head) {
  control_reader in(head);
  hello f;
  in.number("min", f.version_min);
  in.number("max", f.version_max);
  in.text("id", f.producer_id, 1, id_bytes_max);
  in.flag("named", f.named);
  in.binary16("nonce", f.nonce);
  in.number("epoch", f.epoch);
  in.flag("simple", f.simple);
  in.number("heartbeat", f.heartbeat_ms, f.simple ? 0 : 1, heartbeat_ms_max);
  return finish(in, std::move(f), "hello");
}

buffer_ref encode(std::uint32_t session, const welcome& f) {
  return control_writer(frame_type::welcome, session)
      .number("version", f.version)
      .number("session", f.session)
      .number("epoch", f.epoch)
      .number("heartbeat", f.heartbeat_ms)
      .number("window_messages", f.window_messages)
      .number("window_bytes", f.window_bytes)
      .number("max_message", f.max_message)
      .finish();
}

result<welcome> decode_welcome(bytes_view head) {
  control_reader in(head);
  welcome f;
  in.number("version", f.version);
  in.need_number("session", f.session, 1);
  in.need_number("epoch", f.epoch, 1);
  in.number("heartbeat", f.heartbeat_ms, 0, heartbeat_ms_max);
  in.number("window_messages", f.window_messages, 1);
  in.number("window_bytes", f.window_bytes, 1);
  in.number("max_message", f.max_message, 1);
  return finish(in, std::move(f), "welcome");
}

buffer_ref encode(std::uint32_t session, const attach& f) {
  control_writer out(frame_type::attach, session);
  out.number("request", f.request)
      .number("role", static_cast<std::uint8_t>(f.role))
      .binary("address", as_bytes_view(f.address.data(), f.address.size()))
      .number("level", static_cast<std::uint8_t>(f.need));
  if (!f.group.empty()) out.binary("group", as_bytes_view(f.group.data(), f.group.size()));
  if (f.start != start_at::next) out.number("start", static_cast<std::uint8_t>(f.start));
  if (f.at != 0) out.number("at", f.at);
  if (!f.filter.empty()) out.texts("filter", f.filter);
  return out.finish();
}

result<attach> decode_attach(bytes_view head) {
  control_reader in(head);
  attach f;
  in.number("request", f.request);
  in.one_of("role", f.role, 1, 3);
  in.text("address", f.address, 0, address_bytes_max);
  in.one_of("level", f.need, levels_min, levels_max);
  in.text("group", f.group, 0, id_bytes_max);
  in.one_of("start", f.start, 1, 6);
  in.number("at", f.at);
  in.texts("filter", f.filter, prefixes_max, address_bytes_max);
  return finish(in, std::move(f), "attach");
}

buffer_ref encode(std::uint32_t session, const attached& f) {
  return control_writer(frame_type::attached, session)
      .number("request", f.request)
      .number("stream", f.stream)
      .number("stream_epoch", f.stream_epoch)
      .number("next_number", f.next_number)
      .number("accepted_through", f.accepted_through)
      .number("level", static_cast<std::uint8_t>(f.effective))
      .number("interval", f.interval_ms)
      .number("lease", f.lease_ms)
      .number("next_sequence", f.next_sequence)
      .number("lowest_sequence", f.lowest_sequence)
      .finish();
}

result<attached> decode_attached(bytes_view head) {
  control_reader in(head);
  attached f;
  in.number("request", f.request);
  in.need_number("stream", f.stream, 1);
  in.number("stream_epoch", f.stream_epoch);
  in.number("next_number", f.next_number, 1);
  in.number("accepted_through", f.accepted_through);
  in.one_of("level", f.effective, levels_min, levels_max);
  in.number("interval", f.interval_ms);
  in.number("lease", f.lease_ms);
  in.number("next_sequence", f.next_sequence, 1);
  in.number("lowest_sequence", f.lowest_sequence);
  return finish(in, std::move(f), "attached");
}

buffer_ref encode(std::uint32_t session, const attach_refused& f) {
  return control_writer(frame_type::attach_refused, session)
      .number("request", f.request)
      .number("code", static_cast<std::uint8_t>(f.code))
      .text("text", cut_text(f.text))
      .finish();
}

result<attach_refused> decode_attach_refused(bytes_view head) {
  control_reader in(head);
  attach_refused f;
  in.number("request", f.request);
  in.need_one_of("code", f.code, 1, 255);
  in.text("text", f.text, 0, reason_bytes_max);
  return finish(in, std::move(f), "attach_refused");
}

buffer_ref encode(std::uint32_t session, const refuse& f) {
  return control_writer(frame_type::refuse, session)
      .number("stream", f.stream)
      .number("first", f.first_number)
      .number("count", f.count)
      .number("code", static_cast<std::uint8_t>(f.code))
      .flag("permanent", f.permanent)
      .number("entry", f.bad_entry)
      .text("text", cut_text(f.text))
      .finish();
}

result<refuse> decode_refuse(bytes_view head) {
  control_reader in(head);
  refuse f;
  in.number("stream", f.stream);
  in.number("first", f.first_number);
  in.number("count", f.count);
  in.need_one_of("code", f.code, 1, 255);
  in.flag("permanent", f.permanent);
  in.number("entry", f.bad_entry);
  in.text("text", f.text, 0, reason_bytes_max);
  return finish(in, std::move(f), "refuse");
}

buffer_ref encode(std::uint32_t session, const nack& f) {
  return control_writer(frame_type::nack, session)
      .number("stream", f.stream)
      .number("kind", static_cast<std::uint8_t>(f.kind))
      .number("delay", f.delay_ms)
      .text("reason", cut_text(f.reason))
      .ranges("ranges", f.ranges)
      .finish();
}

result<nack> decode_nack(bytes_view head) {
  control_reader in(head);
  nack f;
  in.need_number("stream", f.stream);
  in.one_of("kind", f.kind, 1, 3);
  in.number("delay", f.delay_ms, 0, delay_ms_max);
  in.text("reason", f.reason, 0, reason_bytes_max);
  in.ranges("ranges", f.ranges, ranges_max);
  return finish(in, std::move(f), "nack");
}

buffer_ref encode(std::uint32_t session, const touch& f) {
  return control_writer(frame_type::touch, session)
      .number("stream", f.stream)
      .number("extend", f.extend_ms)
      .ranges("ranges", f.ranges)
      .finish();
}

result<touch> decode_touch(bytes_view head) {
  control_reader in(head);
  touch f;
  in.need_number("stream", f.stream);
  in.number("extend", f.extend_ms, 0, delay_ms_max);
  in.ranges("ranges", f.ranges, ranges_max);
  return finish(in, std::move(f), "touch");
}

buffer_ref encode(std::uint32_t session, const gap& f) {
  return control_writer(frame_type::gap, session)
      .number("stream", f.stream)
      .number("first", f.messages.first)
      .number("count", f.messages.count)
      .number("cause", static_cast<std::uint8_t>(f.cause))
      .finish();
}

result<gap> decode_gap(bytes_view head) {
  control_reader in(head);
  gap f;
  in.need_number("stream", f.stream);
  in.need_number("first", f.messages.first, 1);
  in.need_number("count", f.messages.count, 1, ~f.messages.first);
  in.need_one_of("cause", f.cause, 1, 3);
  return finish(in, std::move(f), "gap");
}

}  // namespace holdfast
