// envelope: the parts that stand before a message's own on a raw ZeroMQ connection: a delimiter, an
// address stack, a protocol's header.
//
//   u32 length, bytes; again for each part
//
// Contract: pure. Made once a delivery, read by the loop when it sends.
#pragma once

#include <initializer_list>
#include <span>

#include "base/buffer.hpp"

namespace holdfast {

inline buffer_ref make_envelope(std::span<const bytes_view> parts) {
  std::size_t size = 0;
  for (const bytes_view part : parts) size += 4 + part.size();
  auto* made = new slab(size);
  std::byte* at = made->data();
  for (const bytes_view part : parts) {
    store(at, static_cast<std::uint32_t>(part.size()));
    if (!part.empty()) std::memcpy(at + 4, part.data(), part.size());
    at += 4 + part.size();
  }
  made->set_size(size);
  return buffer_ref(made);
}

inline buffer_ref make_envelope(std::initializer_list<bytes_view> parts) {
  return make_envelope(std::span<const bytes_view>(parts.begin(), parts.size()));
}

/// Calls `f(part)` for each; false if the bytes are no envelope.
template <class F>
bool for_each_envelope_part(bytes_view envelope, F&& f) {
  while (!envelope.empty()) {
    if (envelope.size() < 4) return false;
    const auto size = load<std::uint32_t>(envelope.data());
    if (envelope.size() - 4 < size) return false;
    f(envelope.subspan(4, size));
    envelope = envelope.subspan(4 + size);
  }
  return true;
}

}  // namespace holdfast
