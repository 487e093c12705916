#include "plugins/json/json.hpp"

#include <exception>

#include "plugins/json/convert.hpp"

namespace {

using holdfast::json::say;

std::string_view view(holdfast_slice bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}

int create(holdfast_call* call, holdfast_slice options, void** instance) {
  *instance = nullptr;  // nothing to remember
  if (options.size > 1 || (options.size == 1 && options.data[0] != 0x80))
    return say(call, HOLDFAST_OPTIONS, "json takes none");
  return HOLDFAST_OK;
}

void destroy(void*) {}

// Converts and appends; what the library throws stays here.
template <class Convert>
int converted(holdfast_call* call, holdfast_slice bytes, Convert convert) {
  try {
    std::string made;
    if (int code = convert(call, view(bytes), made); code != HOLDFAST_OK) return code;
    return call->append(call, made.data(), made.size());
  } catch (const std::exception& thrown) {
    return say(call, HOLDFAST_INTERNAL, thrown.what());
  }
}

int decode(void*, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  if (count != 1) return say(call, HOLDFAST_MALFORMED, "json takes one part");
  return converted(call, parts[0], holdfast::json::from_json);
}

int encode(void*, holdfast_call* call, holdfast_slice document) {
  return converted(call, document, holdfast::json::to_json);
}

constexpr holdfast_serializer table = {
    sizeof(holdfast_serializer),
    HOLDFAST_PLUGIN_MAJOR,
    HOLDFAST_PLUGIN_MINOR,
    HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE,
    "json",
    "1",
    "application/json",
    create,
    destroy,
    decode,
    encode,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

const holdfast_serializer* holdfast_json_entry(uint32_t host_major, uint32_t number) {
  return host_major == HOLDFAST_PLUGIN_MAJOR && number == 0 ? &table : nullptr;
}
