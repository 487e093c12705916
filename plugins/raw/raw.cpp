#include "plugins/raw/raw.hpp"

#include <array>
#include <string_view>

namespace {

int say(holdfast_call* call, int code, std::string_view words) {
  return call->fail(call, code, words.data(), words.size());
}

int create(holdfast_call* call, holdfast_slice options, void** instance) {
  *instance = nullptr;  // nothing to remember
  if (options.size > 1 || (options.size == 1 && options.data[0] != 0x80))
    return say(call, HOLDFAST_OPTIONS, "raw takes none");
  return HOLDFAST_OK;
}

void destroy(void*) {}

int decode(void*, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  if (count != 1) return say(call, HOLDFAST_MALFORMED, "raw takes one part");
  const size_t size = parts[0].size;
  if (size > 0xffffffff) return say(call, HOLDFAST_LIMIT, "a bin holds less than 4 GiB");
  const unsigned width = size < 0x100 ? 1 : size < 0x10000 ? 2 : 4;
  std::array<uint8_t, 5> head{static_cast<uint8_t>(width == 1 ? 0xc4 : width == 2 ? 0xc5 : 0xc6)};
  for (unsigned i = 0; i < width; ++i)
    head[1 + i] = static_cast<uint8_t>(size >> (8 * (width - 1 - i)));
  if (int code = call->append(call, head.data(), 1 + width); code != HOLDFAST_OK) return code;
  return call->append(call, parts[0].data, size);
}

// Bytes of the length that follows a bin's or text's first byte; -1 for anything else.
int width_of(uint8_t first) {
  switch (first) {
    case 0xc4:
    case 0xd9: return 1;
    case 0xc5:
    case 0xda: return 2;
    case 0xc6:
    case 0xdb: return 4;
    default: return (first & 0xe0) == 0xa0 ? 0 : -1;
  }
}

int encode(void*, holdfast_call* call, holdfast_slice document) {
  if (document.size == 0) return say(call, HOLDFAST_MALFORMED, "the document is empty");
  const int width = width_of(document.data[0]);
  if (width < 0) return say(call, HOLDFAST_UNSUPPORTED, "only a bin or a text has raw bytes");
  const auto head = 1 + static_cast<size_t>(width);
  if (document.size < head) return say(call, HOLDFAST_MALFORMED, "the document ends early");
  size_t size = width == 0 ? document.data[0] & 0x1fu : 0;
  for (size_t i = 1; i < head; ++i) size = size << 8 | document.data[i];
  if (document.size - head != size)
    return say(call, HOLDFAST_MALFORMED, "the document is not one object");
  return call->append(call, document.data + head, size);
}

int validate(void*, holdfast_call* call, const holdfast_slice*, size_t count) {
  return count == 1 ? HOLDFAST_OK : say(call, HOLDFAST_MALFORMED, "raw takes one part");
}

constexpr holdfast_serializer table = {
    sizeof(holdfast_serializer),
    HOLDFAST_PLUGIN_MAJOR,
    HOLDFAST_PLUGIN_MINOR,
    HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE | HOLDFAST_CAN_VALIDATE,
    "raw",
    "1",
    "application/octet-stream",
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

const holdfast_serializer* holdfast_raw_entry(uint32_t host_major, uint32_t number) {
  return host_major == HOLDFAST_PLUGIN_MAJOR && number == 0 ? &table : nullptr;
}
