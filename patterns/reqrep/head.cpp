#include "patterns/reqrep/head.hpp"

#include <cstring>

#include "base/check.hpp"
#include "patterns/envelope.hpp"
#include "patterns/reqrep/dialect.hpp"

namespace holdfast {

bool envelope_holds(bytes_view envelope) noexcept {
  if (envelope.size() > envelope_bytes_max) return false;
  std::size_t parts = 0;
  return for_each_envelope_part(envelope, [&](bytes_view) { ++parts; }) &&
         parts <= envelope_parts_max;
}

std::size_t encode(std::span<std::byte> into, const request_head& h) noexcept {
  check(h.envelope.size() <= envelope_bytes_max, "an envelope is within its limit");
  const std::size_t size = request_head_bytes + h.envelope.size();
  check(into.size() >= size, "a head has room");
  std::byte* at = into.data();
  store(at, head_version);
  store(at + 1, static_cast<std::uint8_t>(h.kind));
  store(at + 2, h.attempts_max);
  store(at + 4, h.client);
  std::memcpy(at + 8, h.id.data(), h.id.size());
  store(at + 24, h.deadline_ms);
  store(at + 32, static_cast<std::uint16_t>(h.envelope.size()));
  store(at + 34, std::uint16_t{0});
  if (!h.envelope.empty())
    std::memcpy(at + request_head_bytes, h.envelope.data(), h.envelope.size());
  return size;
}

std::size_t encode(std::span<std::byte> into, const reply_head& h) noexcept {
  check(h.worker.size() <= worker_name_bytes_max, "a worker's name is within its limit");
  const std::size_t size = reply_head_bytes + h.worker.size();
  check(into.size() >= size, "a head has room");
  std::byte* at = into.data();
  store(at, head_version);
  store(at + 1, std::uint8_t{0});
  store(at + 2, h.status);
  store(at + 4, static_cast<std::uint16_t>(h.worker.size()));
  store(at + 6, std::uint16_t{0});
  std::memcpy(at + 8, h.id.data(), h.id.size());
  store(at + 24, h.sequence);
  store(at + 32, std::uint32_t{0});
  if (!h.worker.empty()) std::memcpy(at + reply_head_bytes, h.worker.data(), h.worker.size());
  return size;
}

std::optional<request_head> decode_request_head(bytes_view part) noexcept {
  if (part.size() < request_head_bytes || load<std::uint8_t>(part.data()) != head_version)
    return std::nullopt;
  const auto kind = load<std::uint8_t>(part.data() + 1);
  if (kind < 1 || kind > 3) return std::nullopt;
  if (load<std::uint16_t>(part.data() + 32) != part.size() - request_head_bytes)
    return std::nullopt;
  request_head h;
  h.kind = static_cast<request_kind>(kind);
  h.attempts_max = load<std::uint16_t>(part.data() + 2);
  h.client = load<std::uint32_t>(part.data() + 4);
  std::memcpy(h.id.data(), part.data() + 8, h.id.size());
  h.deadline_ms = load<std::uint64_t>(part.data() + 24);
  h.envelope = part.subspan(request_head_bytes);
  if (!envelope_holds(h.envelope)) return std::nullopt;
  return h;
}

std::optional<reply_head> decode_reply_head(bytes_view part) noexcept {
  if (part.size() < reply_head_bytes || load<std::uint8_t>(part.data()) != head_version)
    return std::nullopt;
  const std::size_t name = load<std::uint16_t>(part.data() + 4);
  if (name > worker_name_bytes_max || name != part.size() - reply_head_bytes) return std::nullopt;
  reply_head h;
  h.status = load<std::uint16_t>(part.data() + 2);
  std::memcpy(h.id.data(), part.data() + 8, h.id.size());
  h.sequence = load<std::uint64_t>(part.data() + 24);
  h.worker = {reinterpret_cast<const char*>(part.data() + reply_head_bytes), name};
  return h;
}

bytes16 to_bytes(const dispatch_id& id) noexcept {
  bytes16 made{};
  store(made.data(), id.stream);
  store(made.data() + 4, id.epoch);
  store(made.data() + 6, id.attempt);
  store(made.data() + 8, id.sequence);
  return made;
}

dispatch_id dispatch_from(bytes_view bytes) noexcept {
  if (bytes.size() != dispatch_id_bytes) return {};
  return {load<std::uint32_t>(bytes.data()), load<std::uint16_t>(bytes.data() + 4),
          load<std::uint16_t>(bytes.data() + 6), load<std::uint64_t>(bytes.data() + 8)};
}

}  // namespace holdfast
