#include "plugins/msgpack/msgpack.hpp"

#include <msgpack.hpp>
#include <string_view>

namespace {

constexpr int depth_max = 128;

int say(holdfast_call* call, int code, std::string_view words) {
  return call->fail(call, code, words.data(), words.size());
}

// Looks at everything, keeps nothing.
struct checker : msgpack::null_visitor {
  bool start_array(uint32_t) { return deeper(); }
  bool end_array() { return shallower(); }
  bool start_map(uint32_t) { return deeper(); }
  bool end_map() { return shallower(); }
  bool deeper() {
    too_deep = too_deep || ++depth > depth_max;
    return !too_deep;
  }
  bool shallower() {
    --depth;
    return true;
  }
  int depth = 0;
  bool too_deep = false;
};

int check_object(holdfast_call* call, holdfast_slice bytes) {
  checker look;
  size_t end = 0;
  const bool whole =
      msgpack::parse(reinterpret_cast<const char*>(bytes.data), bytes.size, end, look);
  if (look.too_deep) return say(call, HOLDFAST_LIMIT, "deeper than 128 levels");
  if (!whole) return say(call, HOLDFAST_MALFORMED, "not MessagePack, or it ends early");
  if (end != bytes.size)
    return say(call, HOLDFAST_MALFORMED, "more than one MessagePack object in a part");
  return HOLDFAST_OK;
}

int create(holdfast_call* call, holdfast_slice options, void** instance) {
  *instance = nullptr;  // nothing to remember
  if (options.size > 1 || (options.size == 1 && options.data[0] != 0x80))
    return say(call, HOLDFAST_OPTIONS, "msgpack takes none");
  return HOLDFAST_OK;
}

void destroy(void*) {}

int validate(void*, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  if (count != 1) return say(call, HOLDFAST_MALFORMED, "msgpack takes one part");
  return check_object(call, parts[0]);
}

int decode(void* self, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  if (int code = validate(self, call, parts, count); code != HOLDFAST_OK) return code;
  return call->append(call, parts[0].data, parts[0].size);
}

int encode(void*, holdfast_call* call, holdfast_slice document) {
  if (int code = check_object(call, document); code != HOLDFAST_OK) return code;
  return call->append(call, document.data, document.size);
}

constexpr holdfast_serializer table = {
    sizeof(holdfast_serializer),
    HOLDFAST_PLUGIN_MAJOR,
    HOLDFAST_PLUGIN_MINOR,
    HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE | HOLDFAST_CAN_VALIDATE,
    "msgpack",
    "1",
    "application/msgpack",
    create,
    destroy,
    decode,
    encode,
    validate,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

const holdfast_serializer* holdfast_msgpack_entry(uint32_t host_major, uint32_t number) {
  return host_major == HOLDFAST_PLUGIN_MAJOR && number == 0 ? &table : nullptr;
}
