// serializer: one instance of a serializer, called within limits.
//
// Contract: one thread at a time. Nothing a plugin does in a call comes back but a status and
// bytes: exceptions stop here (the third wall), output ends at its limit. A call cannot be
// interrupted: one that takes longer than its time is a failure once it returns. Errors: schema
// (the bytes, or the document, cannot be converted), too_large, timeout, unsupported (the
// serializer cannot do this).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/coding.hpp"
#include "plugins/host/serializer_type.hpp"

namespace holdfast::plugins {

struct call_limits {
  std::uint64_t output_bytes = 64ull << 20;
  std::uint64_t time_ns = second_ns;
};

/// What a call appended: bytes, cut into parts. Reuse it: its memory stays up to 1 MiB.
class output {
 public:
  static constexpr std::size_t parts_max = 65'535;
  static constexpr std::size_t kept_bytes = 1 << 20;

  void clear() noexcept;
  bytes_view bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }
  std::size_t parts() const noexcept { return ends_.size() + 1; }
  bytes_view part(std::size_t index) const noexcept;

 private:
  friend class serializer;
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;  // of all parts but the last
};

class serializer {
 public:
  using clock = instant (*)() noexcept;

  /// `options`: a MessagePack map, or empty.
  static result<serializer> create(const serializer_type& type, bytes_view options = {},
                                   call_limits limits = {}, clock now = system_now);
  serializer(serializer&&) noexcept = default;
  serializer& operator=(serializer&&) noexcept = default;

  const serializer_type& type() const noexcept { return type_; }

  /// The parts this serializer is about: all of a message, or the last.
  std::span<const bytes_view> own_parts(std::span<const bytes_view> message) const noexcept {
    return type_.whole_message() || message.empty() ? message : message.last(1);
  }
  /// own_parts() of a message to a document.
  status decode(std::span<const bytes_view> parts, output& into);
  /// A document to parts.
  status encode(bytes_view document, output& into);
  /// Where the plugin has no validate(), decodes for nothing.
  status validate(std::span<const bytes_view> parts);
  result<holdfast_meta> peek(std::span<const bytes_view> parts);
  /// The schema's number; its text goes to `into`.
  result<std::uint64_t> schema_of(std::span<const bytes_view> parts, output& into);
  /// A document; an empty one where the plugin has no describe().
  status describe(output& into);

 private:
  struct call_state;
  struct closer {
    void (*destroy)(void*);
    void operator()(void* instance) const noexcept;
  };
  serializer(const serializer_type& type, call_limits limits, clock now)
      : type_(type), limits_(limits), now_(now), instance_(nullptr, {nullptr}) {}
  template <class F>
  status guarded(const char* verb, output& into, F&& f);
  status verdict(const char* verb, int code, const call_state& call) const;
  status cannot(const char* verb) const;
  std::span<const holdfast_slice> slices(std::span<const bytes_view> parts);

  serializer_type type_;
  call_limits limits_;
  clock now_;
  std::unique_ptr<void, closer> instance_;
  std::vector<holdfast_slice> slices_;
};

}  // namespace holdfast::plugins
