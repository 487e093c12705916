// The last step of a delivery: a piece of a block as the frames its peer understands.
#include "devices/loop/engine.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

/// ack_back: the pattern names the first message of a run in the head's 16 bytes.
constexpr std::size_t delivery_id_bytes = 16;

}  // namespace

void engine::emit_piece(frame_out& frame, const piece& part) {
  ++counts_.deliveries;
  if (frame.form == frame_form::plain) return emit_plain(frame, part);
  if (frame.form == frame_form::enveloped) return emit_enveloped(frame, part);
  deliver d;
  d.first_sequence = part.first;
  d.count = static_cast<std::uint16_t>(part.count);
  d.props_mask = part.props_mask;
  d.whole = part.whole;
  d.time_ns = part.time_ns;
  d.body_sum = part.body_sum;
  patch_deliver(frame.head, d);
  if (frame.form == frame_form::simple) return emit_simple(frame, part);
  ++counts_.frames;
  out_->send(frame.to, frame.head.bytes(), nullptr, part.body);
}

void engine::emit_simple(const frame_out& frame, const piece& part) {
  const auto prefix = decode_prefix(frame.head.bytes());
  const auto common = decode_deliver(frame.head.bytes());
  if (!prefix || !common) return;
  entry message;
  entry_walker walker(part.body.bytes());
  for (std::uint64_t sequence = part.first; walker.next(message); ++sequence) {
    if (message.voided()) continue;
    ++counts_.frames;
    const deliver_simple one{common->stream, sequence, common->attempt, common->redelivered};
    out_->send_simple(frame.to, encode(prefix->session, one), message, part.body);
  }
}

void engine::emit_enveloped(const frame_out& frame, const piece& part) {
  const std::size_t skip = std::get<run>(frame.body).skip_parts;
  entry message;
  entry_walker walker(part.body.bytes());
  while (walker.next(message)) {
    if (message.voided()) continue;
    ++counts_.frames;
    out_->send_enveloped(frame.to, frame.envelope, &message, part.body, skip);
  }
}

void engine::emit_plain(const frame_out& frame, const piece& part) {
  plain_delivery made;
  made.stream = std::get<run>(frame.body).stream;
  const bytes_view id = frame.head.bytes();
  made.with_id = id.size() == delivery_id_bytes;
  if (made.with_id) made.stream_epoch = load<std::uint32_t>(id.data() + 4);
  made.first = part.first;
  made.count = part.count;
  made.body = part.body;
  out_->send_plain(frame.to, made);
}

}  // namespace holdfast
