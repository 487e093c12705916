// The frozen prefix and the frames with fixed layouts. Offsets: docs/wire_protocol.md, "Fixed
// frames". A longer head is accepted: later minor versions append fields.
#include "base/check.hpp"
#include "patterns/block.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::size_t publish_bytes = 32, accept_bytes = 24, number_bytes = 24, probe_bytes = 12,
                      credit_bytes = 32, deliver_bytes = 48, ack_head_bytes = 24, range_bytes = 16,
                      reply_bytes = 32, replied_bytes = 24;
constexpr std::uint8_t whole_blocks_bit = 1, whole_bit = 1, redelivered_shift = 1,
                       redelivered_mask = 3;

void put_prefix(std::byte* at, frame_type type, std::uint32_t session) noexcept {
  at[0] = std::byte{'H'};
  at[1] = std::byte{'F'};
  at[2] = std::byte{protocol_major};
  at[3] = static_cast<std::byte>(type);
  store(at + 4, session);
}

// A zeroed head of `size` bytes with the prefix in place.
std::byte* start(small_head& into, frame_type type, std::uint32_t session,
                 std::size_t size) noexcept {
  std::byte* at = into.writable().data();
  std::memset(at, 0, size);
  put_prefix(at, type, session);
  into.set_size(size);
  return at;
}

status bad(const char* what) {
  return {errc::bad_frame, what};
}

template <class F>
void encode_number(small_head& into, frame_type type, std::uint32_t session, const F& f,
                   std::uint64_t number) noexcept {
  std::byte* at = start(into, type, session, number_bytes);
  store(at + 8, f.stream);
  store(at + 16, number);
}

bool level_known(std::uint8_t value) noexcept {
  return value >= static_cast<std::uint8_t>(level::process) &&
         value <= static_cast<std::uint8_t>(level::disk);
}

bool numbers_hold(std::uint64_t first, std::uint64_t count) noexcept {
  return first > 0 && count > 0 && first + count > first;
}

/// Of REPLY and REPLIED.
range requests_of(bytes_view head) noexcept {
  return {load<std::uint64_t>(head.data() + 16), load<std::uint16_t>(head.data() + 14)};
}

bool requests_hold(const range& r) noexcept {
  return numbers_hold(r.first, r.count) && r.count <= block_messages_max;
}

}  // namespace

std::optional<frame_prefix> decode_prefix(bytes_view head) noexcept {
  if (head.size() < frame_prefix_bytes) return std::nullopt;
  if (head[0] != std::byte{'H'} || head[1] != std::byte{'F'}) return std::nullopt;
  return frame_prefix{load<std::uint8_t>(head.data() + 2),
                      static_cast<frame_type>(load<std::uint8_t>(head.data() + 3)),
                      load<std::uint32_t>(head.data() + 4)};
}

void encode_bare(small_head& into, frame_type type, std::uint32_t session) noexcept {
  start(into, type, session, frame_prefix_bytes);
}

void encode_refuse_version(small_head& into, std::uint8_t min, std::uint8_t max) noexcept {
  std::byte* at = start(into, frame_type::refuse_version, 0, frame_prefix_bytes + 2);
  store(at + 8, min);
  store(at + 9, max);
}

std::optional<version_range> decode_refuse_version(bytes_view head) noexcept {
  if (head.size() < frame_prefix_bytes + 2) return std::nullopt;
  return version_range{load<std::uint8_t>(head.data() + 8), load<std::uint8_t>(head.data() + 9)};
}

void encode(small_head& into, std::uint32_t session, const publish& f) noexcept {
  std::byte* at = start(into, frame_type::publish, session, publish_bytes);
  store(at + 8, f.stream);
  store(at + 12, f.count);
  store(at + 14, f.props_mask);
  store(at + 16, f.first_number);
  store(at + 24, f.body_sum);
}

void encode(small_head& into, std::uint32_t session, const accept& f) noexcept {
  std::byte* at = start(into, frame_type::accept, session, accept_bytes);
  store(at + 8, f.stream);
  store(at + 12, static_cast<std::uint8_t>(f.reached));
  store(at + 16, f.through);
}

void encode(small_head& into, std::uint32_t session, const resync& f) noexcept {
  encode_number(into, frame_type::resync, session, f, f.expected);
}

void encode(small_head& into, std::uint32_t session, const resume& f) noexcept {
  encode_number(into, frame_type::resume, session, f, f.expected);
}

void encode(small_head& into, std::uint32_t session, const acked& f) noexcept {
  encode_number(into, frame_type::acked, session, f, f.through);
}

void encode(small_head& into, std::uint32_t session, const probe& f) noexcept {
  store(start(into, frame_type::probe, session, probe_bytes) + 8, f.stream);
}

void encode(small_head& into, std::uint32_t session, const credit& f) noexcept {
  std::byte* at = start(into, frame_type::credit, session, credit_bytes);
  store(at + 8, f.stream);
  store(at + 12, f.whole_blocks ? whole_blocks_bit : std::uint8_t{0});
  store(at + 16, f.messages_total);
  store(at + 24, f.bytes_total);
}

void encode(small_head& into, std::uint32_t session, const deliver& f) noexcept {
  std::byte* at = start(into, frame_type::deliver, session, deliver_bytes);
  store(at + 8, f.stream);
  store(at + 12, f.count);
  store(at + 14, f.props_mask);
  store(at + 15,
        static_cast<std::uint8_t>((f.whole ? whole_bit : 0) | f.redelivered << redelivered_shift));
  store(at + 16, f.first_sequence);
  store(at + 24, f.time_ns);
  store(at + 32, f.body_sum);
  store(at + 40, f.attempt);
}

void encode(small_head& into, std::uint32_t session, const reply_frame& f) noexcept {
  std::byte* at = start(into, frame_type::reply, session, reply_bytes);
  store(at + 8, f.stream);
  store(at + 12, f.attempt);
  store(at + 14, static_cast<std::uint16_t>(f.requests.count));
  store(at + 16, f.requests.first);
  store(at + 24, f.body_sum);
}

void encode(small_head& into, std::uint32_t session, const replied& f) noexcept {
  std::byte* at = start(into, frame_type::replied, session, replied_bytes);
  store(at + 8, f.stream);
  store(at + 12, static_cast<std::uint8_t>(f.outcome));
  store(at + 14, static_cast<std::uint16_t>(f.requests.count));
  store(at + 16, f.requests.first);
}

buffer_ref encode_described(std::uint32_t session, std::string_view json) {
  json = json.substr(0, description_bytes_max);
  auto* made = new slab(frame_prefix_bytes + json.size());
  put_prefix(made->data(), frame_type::described, session);
  std::memcpy(made->data() + frame_prefix_bytes, json.data(), json.size());
  made->set_size(frame_prefix_bytes + json.size());
  return buffer_ref(made);
}

void patch_deliver(small_head& head, const deliver& f) noexcept {
  check(head.bytes().size() == deliver_bytes, "an encoded deliver is patched");
  std::byte* at = head.writable().data();
  const auto kept = static_cast<std::uint8_t>(load<std::uint8_t>(at + 15) & ~whole_bit);
  store(at + 12, f.count);
  store(at + 14, f.props_mask);
  store(at + 15, static_cast<std::uint8_t>(kept | (f.whole ? whole_bit : 0)));
  store(at + 16, f.first_sequence);
  store(at + 24, f.time_ns);
  store(at + 32, f.body_sum);
}

buffer_ref encode(std::uint32_t session, const ack& f) {
  check(f.ranges.size() <= ranges_max, "an ack frame has at most 4096 ranges");
  const std::size_t size = ack_head_bytes + f.ranges.size() * range_bytes;
  auto* made = new slab(size);
  std::byte* at = made->data();
  put_prefix(at, frame_type::ack, session);
  store(at + 8, f.stream);
  store(at + 12, static_cast<std::uint32_t>(f.ranges.size()));
  store(at + 16, f.number);
  at += ack_head_bytes;
  for (const range& r : f.ranges) {
    store(at, r.first);
    store(at + 8, r.count);
    at += range_bytes;
  }
  made->set_size(size);
  return buffer_ref(made);
}

result<publish> decode_publish(bytes_view head) {
  if (head.size() < publish_bytes) return bad("publish: head shorter than 32 bytes");
  const std::byte* at = head.data();
  const publish f{load<std::uint32_t>(at + 8), load<std::uint64_t>(at + 16),
                  load<std::uint16_t>(at + 12), load<std::uint8_t>(at + 14),
                  load<std::uint64_t>(at + 24)};
  if (f.count == 0 || f.count > block_messages_max) return bad("publish: count");
  if (!numbers_hold(f.first_number, f.count)) return bad("publish: first_number");
  return f;
}

result<accept> decode_accept(bytes_view head) {
  if (head.size() < accept_bytes) return bad("accept: head shorter than 24 bytes");
  const auto reached = load<std::uint8_t>(head.data() + 12);
  if (!level_known(reached)) return bad("accept: level");
  return accept{load<std::uint32_t>(head.data() + 8), load<std::uint64_t>(head.data() + 16),
                static_cast<level>(reached)};
}

result<resync> decode_resync(bytes_view head) {
  if (head.size() < number_bytes) return bad("resync: head shorter than 24 bytes");
  const resync f{load<std::uint32_t>(head.data() + 8), load<std::uint64_t>(head.data() + 16)};
  if (f.expected == 0) return bad("resync: expected");
  return f;
}

result<resume> decode_resume(bytes_view head) {
  if (head.size() < number_bytes) return bad("resume: head shorter than 24 bytes");
  const resume f{load<std::uint32_t>(head.data() + 8), load<std::uint64_t>(head.data() + 16)};
  if (f.expected == 0) return bad("resume: expected");
  return f;
}

result<acked> decode_acked(bytes_view head) {
  if (head.size() < number_bytes) return bad("acked: head shorter than 24 bytes");
  return acked{load<std::uint32_t>(head.data() + 8), load<std::uint64_t>(head.data() + 16)};
}

result<probe> decode_probe(bytes_view head) {
  if (head.size() < probe_bytes) return bad("probe: head shorter than 12 bytes");
  return probe{load<std::uint32_t>(head.data() + 8)};
}

result<credit> decode_credit(bytes_view head) {
  if (head.size() < credit_bytes) return bad("credit: head shorter than 32 bytes");
  const std::byte* at = head.data();
  return credit{load<std::uint32_t>(at + 8), load<std::uint64_t>(at + 16),
                load<std::uint64_t>(at + 24),
                (load<std::uint8_t>(at + 12) & whole_blocks_bit) != 0};
}

result<deliver> decode_deliver(bytes_view head) {
  if (head.size() < deliver_bytes) return bad("deliver: head shorter than 48 bytes");
  const std::byte* at = head.data();
  deliver f;
  f.stream = load<std::uint32_t>(at + 8);
  f.count = load<std::uint16_t>(at + 12);
  f.props_mask = load<std::uint8_t>(at + 14);
  const auto flags = load<std::uint8_t>(at + 15);
  f.whole = flags & whole_bit;
  f.redelivered = (flags >> redelivered_shift) & redelivered_mask;
  f.first_sequence = load<std::uint64_t>(at + 16);
  f.time_ns = load<std::uint64_t>(at + 24);
  f.body_sum = load<std::uint64_t>(at + 32);
  f.attempt = load<std::uint16_t>(at + 40);
  if (f.count == 0 || f.count > block_messages_max) return bad("deliver: count");
  if (!numbers_hold(f.first_sequence, f.count)) return bad("deliver: first_sequence");
  if (f.redelivered > 2) return bad("deliver: redelivered");
  return f;
}

result<ack> decode_ack(bytes_view head) {
  if (head.size() < ack_head_bytes) return bad("ack: head shorter than 24 bytes");
  const auto count = load<std::uint32_t>(head.data() + 12);
  if (count > ranges_max) return bad("ack: more than 4096 ranges");
  if (head.size() - ack_head_bytes < count * range_bytes) return bad("ack: ranges cut short");
  ack f{load<std::uint32_t>(head.data() + 8), load<std::uint64_t>(head.data() + 16), {}};
  if (f.number == 0) return bad("ack: number");
  f.ranges.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::byte* at = head.data() + ack_head_bytes + i * range_bytes;
    const range r{load<std::uint64_t>(at), load<std::uint64_t>(at + 8)};
    if (!numbers_hold(r.first, r.count)) return bad("ack: range");
    f.ranges.push_back(r);
  }
  return f;
}

result<reply_frame> decode_reply_frame(bytes_view head) {
  if (head.size() < reply_bytes) return bad("reply: head shorter than 32 bytes");
  const std::byte* at = head.data();
  const reply_frame f{load<std::uint32_t>(at + 8), requests_of(head), load<std::uint16_t>(at + 12),
                      load<std::uint64_t>(at + 24)};
  if (!requests_hold(f.requests)) return bad("reply: requests");
  if (f.attempt == 0) return bad("reply: attempt");
  return f;
}

result<replied> decode_replied(bytes_view head) {
  if (head.size() < replied_bytes) return bad("replied: head shorter than 24 bytes");
  const auto outcome = load<std::uint8_t>(head.data() + 12);
  if (outcome < 1 || outcome > 2) return bad("replied: outcome");
  const replied f{load<std::uint32_t>(head.data() + 8), requests_of(head),
                  static_cast<reply_outcome>(outcome)};
  if (!requests_hold(f.requests)) return bad("replied: requests");
  return f;
}

result<std::string_view> decode_described(bytes_view head) {
  if (head.size() <= frame_prefix_bytes) return bad("described: no text");
  if (head.size() > frame_prefix_bytes + description_bytes_max) return bad("described: too long");
  return std::string_view(reinterpret_cast<const char*>(head.data()), head.size())
      .substr(frame_prefix_bytes);
}

}  // namespace holdfast
