#include "plugins/host/serializer.hpp"

#include <exception>
#include <string>

namespace holdfast::plugins {
namespace {

constexpr std::size_t words_bytes_max = 1024;

const char* code_name(int code) {
  switch (code) {
    case HOLDFAST_MALFORMED: return "malformed";
    case HOLDFAST_UNSUPPORTED: return "cannot be expressed";
    case HOLDFAST_SCHEMA: return "against the schema";
    case HOLDFAST_LIMIT: return "over a limit";
    case HOLDFAST_OPTIONS: return "options not understood";
    case HOLDFAST_INTERNAL: return "failed inside";
    default: return "failed with an unknown code";
  }
}

errc kind_of(int code) {
  if (code == HOLDFAST_LIMIT) return errc::too_large;
  return code == HOLDFAST_OPTIONS ? errc::invalid : errc::schema;
}

holdfast_slice to_slice(bytes_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

// What the plugin's hands can reach, and what they did.
struct serializer::call_state : holdfast_call {
  call_state(output& output_to, const call_limits& limits, clock read_now)
      : holdfast_call{sizeof(holdfast_call), 0,        limits.output_bytes, &append_to,
                      &end_part_of,          &fail_of, &should_stop_of},
        into(output_to),
        now(read_now),
        deadline_ns(now().now_ns + limits.time_ns) {}

  bool late() const noexcept { return now().now_ns > deadline_ns; }
  int over(const char* why) noexcept {
    over_limit = why;
    return HOLDFAST_LIMIT;
  }

  static call_state& of(holdfast_call* call) { return *static_cast<call_state*>(call); }
  static int append_to(holdfast_call* call, const void* bytes, std::size_t size) noexcept {
    call_state& me = of(call);
    if (size > me.output_max - me.into.bytes_.size()) return me.over("its output is too large");
    const auto* from = static_cast<const std::byte*>(bytes);
    try {
      me.into.bytes_.insert(me.into.bytes_.end(), from, from + size);
    } catch (...) {
      return me.over("there is no memory for its output");
    }
    return HOLDFAST_OK;
  }
  static int end_part_of(holdfast_call* call) noexcept {
    call_state& me = of(call);
    if (me.into.parts() >= output::parts_max) return me.over("its output has too many parts");
    try {
      me.into.ends_.push_back(me.into.bytes_.size());
    } catch (...) {
      return me.over("there is no memory for its output");
    }
    return HOLDFAST_OK;
  }
  static int fail_of(holdfast_call* call, int code, const char* words, std::size_t size) noexcept {
    try {
      of(call).words.assign(words, std::min(size, words_bytes_max));
    } catch (...) {
      return code;  // fails without words
    }
    return code;
  }
  static int should_stop_of(const holdfast_call* call) noexcept {
    return static_cast<const call_state*>(call)->late() ? 1 : 0;
  }

  output& into;
  clock now;
  std::uint64_t deadline_ns;
  const char* over_limit = nullptr;
  std::string words;
};

void output::clear() noexcept {
  if (bytes_.capacity() > kept_bytes) std::vector<std::byte>().swap(bytes_);
  bytes_.clear();
  ends_.clear();
}

bytes_view output::part(std::size_t index) const noexcept {
  const std::size_t from = index == 0 ? 0 : ends_[index - 1];
  const std::size_t to = index < ends_.size() ? ends_[index] : bytes_.size();
  return bytes().subspan(from, to - from);
}

void serializer::closer::operator()(void* instance) const noexcept {
  try {
    destroy(instance);
  } catch (...) {
    return;  // its bug; there is nobody to tell
  }
}

template <class F>
status serializer::guarded(const char* verb, output& into, F&& f) {
  into.clear();
  call_state call(into, limits_, now_);
  int code = HOLDFAST_INTERNAL;
  try {
    code = f(&call);
  } catch (const std::exception& thrown) {
    call.words = std::string("it threw an exception: ") + thrown.what();
  } catch (...) {
    call.words = "it threw an exception";
  }
  status outcome = verdict(verb, code, call);
  if (!outcome) into.clear();
  return outcome;
}

status serializer::verdict(const char* verb, int code, const call_state& call) const {
  const bool over = call.over_limit != nullptr, late = call.late();
  if (code == HOLDFAST_OK && !over && !late) return {};
  std::string text =
      "serializer '" + std::string(type_.name()) + "' (" + type_.origin + ") cannot " + verb + ": ";
  if (over) return {errc::too_large, text + call.over_limit};
  if (late)
    return {errc::timeout,
            text + "it took longer than " + std::to_string(limits_.time_ns / ms_ns) + " ms"};
  text += code_name(code);
  return {kind_of(code), call.words.empty() ? text : text + ": " + call.words};
}

status serializer::cannot(const char* verb) const {
  return {errc::unsupported, "serializer '" + std::string(type_.name()) + "' (" + type_.origin +
                                 ") has no way to " + verb};
}

std::span<const holdfast_slice> serializer::slices(std::span<const bytes_view> parts) {
  slices_.clear();
  for (const bytes_view part : parts) slices_.push_back(to_slice(part));
  return slices_;
}

result<serializer> serializer::create(const serializer_type& type, bytes_view options,
                                      call_limits limits, clock now) {
  serializer made(type, limits, now);
  void* instance = nullptr;
  output nothing;
  status outcome = made.guarded("start", nothing, [&](holdfast_call* call) {
    return type.table.create(call, to_slice(options), &instance);
  });
  if (!outcome) return outcome;
  made.instance_ = {instance, {type.table.destroy}};
  return made;
}

status serializer::decode(std::span<const bytes_view> parts, output& into) {
  if (!type_.can(HOLDFAST_CAN_DECODE)) return cannot("decode");
  const auto own = slices(parts);
  return guarded("decode", into, [&](holdfast_call* call) {
    return type_.table.decode(instance_.get(), call, own.data(), own.size());
  });
}

status serializer::encode(bytes_view document, output& into) {
  if (!type_.can(HOLDFAST_CAN_ENCODE)) return cannot("encode");
  return guarded("encode", into, [&](holdfast_call* call) {
    return type_.table.encode(instance_.get(), call, to_slice(document));
  });
}

status serializer::validate(std::span<const bytes_view> parts) {
  output nothing;
  if (!type_.can(HOLDFAST_CAN_VALIDATE)) return decode(parts, nothing);
  const auto own = slices(parts);
  return guarded("validate", nothing, [&](holdfast_call* call) {
    return type_.table.validate(instance_.get(), call, own.data(), own.size());
  });
}

result<holdfast_meta> serializer::peek(std::span<const bytes_view> parts) {
  if (!type_.can(HOLDFAST_CAN_PEEK)) return cannot("peek");
  holdfast_meta found{};
  found.struct_size = sizeof found;
  output nothing;
  const auto own = slices(parts);
  status outcome = guarded("peek", nothing, [&](holdfast_call* call) {
    return type_.table.peek(instance_.get(), call, own.data(), own.size(), &found);
  });
  if (!outcome) return outcome;
  return found;
}

result<std::uint64_t> serializer::schema_of(std::span<const bytes_view> parts, output& into) {
  if (!type_.can(HOLDFAST_HAS_SCHEMA)) return cannot("tell a schema");
  std::uint64_t number = 0;
  const auto own = slices(parts);
  status outcome = guarded("tell the schema", into, [&](holdfast_call* call) {
    return type_.table.schema_of(instance_.get(), call, own.data(), own.size(), &number);
  });
  if (!outcome) return outcome;
  return number;
}

status serializer::describe(output& into) {
  into.clear();
  if (type_.table.describe == nullptr) return {};
  return guarded("describe itself", into,
                 [&](holdfast_call* call) { return type_.table.describe(instance_.get(), call); });
}

}  // namespace holdfast::plugins
